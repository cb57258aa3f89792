"""OTLP over HTTP, in protobuf, by OpenTelemetry's own exporters: a run that has ended is sent once.

Times are UTC: the journal's one wall-clock moment, and what its clock tells since, at its speed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from chaos.errors import NotSent
from chaos.history import History
from chaos.journal import Event
from chaos.secrets import SECRETS
from chaos.telemetry.points import metrics_data
from chaos.telemetry.spans import Span, spans
from chaos.verdict import Verdict

LOGGER = "opentelemetry"


def send(url: str, events: Iterable[Event], history: History, verdict: Verdict) -> None:
    """Send the trace, then the metrics; raises NotSent.

    `url` is the collector's, to which `/v1/traces` and `/v1/metrics` are added. Everything else
    (headers, timeout, compression, certificates, attributes of the resource) is as OpenTelemetry's
    variables of the environment have it, OTEL_EXPORTER_OTLP_HEADERS for one.
    """
    base, resource, scope = url.rstrip("/"), _resource(history), _scope(history)
    trace = [_readable(span, history, resource, scope) for span in spans(history, verdict)]
    span_exporter = OTLPSpanExporter(endpoint=f"{base}/v1/traces")
    metric_exporter = OTLPMetricExporter(endpoint=f"{base}/v1/metrics")
    try:
        with _heard() as said:
            if span_exporter.export(trace) is not SpanExportResult.SUCCESS:
                raise NotSent(_not_sent("trace", base, said))
            data = metrics_data(
                events,
                verdict,
                resource,
                scope,
                _nanoseconds(history, 0.0),
                _nanoseconds(history, history.ended),
            )
            if metric_exporter.export(data) is not MetricExportResult.SUCCESS:
                raise NotSent(_not_sent("metrics", base, said))
    finally:
        span_exporter.shutdown()  # type: ignore[no-untyped-call]  # theirs
        metric_exporter.shutdown()


def _not_sent(what: str, url: str, said: list[str]) -> str:
    why = said[-1] if said else "it does not say why"
    return SECRETS.mask(f"OTLP: {url} did not take the {what}: {why}")


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What the exporters complain of, which they log and tell nobody else."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger(LOGGER)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def _resource(history: History) -> Resource:
    """Who speaks; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before what is given here."""
    given = {
        "service.name": "chaos",
        "service.version": history.header["tool"],
        "service.instance.id": history.run,
    }
    return Resource.create({**given, **OTELResourceDetector().detect().attributes})


def _scope(history: History) -> InstrumentationScope:
    return InstrumentationScope("chaos", history.header["tool"])


def _nanoseconds(history: History, t: float) -> int:
    """Unix time of a moment of the run."""
    wall, speed = datetime.fromisoformat(history.header["wall"]), float(history.header["speed"])
    return round(wall.timestamp() * 1000) * 1_000_000 + round(t * 1e9 / speed)


def _readable(
    span: Span, history: History, resource: Resource, scope: InstrumentationScope
) -> ReadableSpan:
    failed = Status(StatusCode.ERROR, span.error) if span.error is not None else None
    return ReadableSpan(
        name=span.name,
        context=_context(history.run, span.key),
        parent=None if span.parent is None else _context(history.run, span.parent),
        resource=resource,
        attributes=span.attributes,
        status=failed or Status(StatusCode.UNSET),
        start_time=_nanoseconds(history, span.start),
        end_time=_nanoseconds(history, span.end),
        instrumentation_scope=scope,
    )


def _context(run: str, key: str) -> SpanContext:
    """Ids made of the run's own, so that a run that is sent again is the same trace."""
    return SpanContext(
        trace_id=_id(run, 16),
        span_id=_id(f"{run} {key}", 8),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def _id(text: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size], "big") or 1
