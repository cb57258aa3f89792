"""The metrics of a run as OpenTelemetry has them: those of docs/metrics.md, by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from chaos.journal import Event
from chaos.metrics import BUCKETS, of
from chaos.metrics.families import FAMILIES
from chaos.verdict import Verdict

CUMULATIVE = export.AggregationTemporality.CUMULATIVE
UNITS = {"_seconds": "s", "_ratio": "1"}

Labels = dict[str, str]
Sample = tuple[str, Labels, float]  # name, labels, value: as the text format has them


def metrics_data(
    events: Iterable[Event],
    verdict: Verdict,
    resource: Resource,
    scope: InstrumentationScope,
    began: int,
    ended: int,
) -> export.MetricsData:
    """All metrics of a run that has ended; `began` and `ended` are Unix nanoseconds."""
    times = (began, ended)
    found = [
        _metric(name, [(s.name, s.labels, s.value) for s in family.samples], times)
        for name, family in zip(FAMILIES, of(events, verdict).collect(), strict=True)
    ]
    one_scope = export.ScopeMetrics(scope=scope, metrics=found, schema_url="")
    return export.MetricsData(
        resource_metrics=[
            export.ResourceMetrics(resource=resource, scope_metrics=[one_scope], schema_url="")
        ]
    )


def _metric(name: str, samples: list[Sample], times: tuple[int, int]) -> export.Metric:
    kind, _, told = FAMILIES[name]
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
    data: export.Sum | export.Gauge | export.Histogram
    if kind == "histogram":
        data = export.Histogram([*_distributions(name, samples, times)], CUMULATIVE)
    elif kind == "counter":
        data = export.Sum([*_numbers(samples, times)], CUMULATIVE, is_monotonic=True)
    else:
        data = export.Gauge([*_numbers(samples, times)])
    return export.Metric(name=name, description=told, unit=unit, data=data)


def _numbers(samples: Iterable[Sample], times: tuple[int, int]) -> Iterator[export.NumberDataPoint]:
    for _, labels, value in samples:
        yield export.NumberDataPoint(labels, *times, value)


def _distributions(
    name: str, samples: Iterable[Sample], times: tuple[int, int]
) -> Iterator[export.HistogramDataPoint]:
    by_labels: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for part, labels, value in samples:
        key = labels["le"] if part == f"{name}_bucket" else part.removeprefix(name)
        others = tuple((label, text) for label, text in labels.items() if label != "le")
        by_labels.setdefault(others, {})[key] = value
    for others, parts in by_labels.items():
        until = [0, *(int(parts[str(bound)]) for bound in BUCKETS), int(parts["+Inf"])]
        counts = [b - a for a, b in pairwise(until)]
        yield export.HistogramDataPoint(
            attributes=dict(others),
            start_time_unix_nano=times[0],
            time_unix_nano=times[1],
            count=until[-1],
            sum=parts["_sum"],
            bucket_counts=counts,
            explicit_bounds=BUCKETS,
            min=None,  # type: ignore[arg-type]  # optional in OTLP; buckets do not know it
            max=None,  # type: ignore[arg-type]  # as above
        )
