"""The numbers of one run for Prometheus, taken from its journal's events and its verdict.

docs/metrics.md lists them. All lengths are seconds of the lab's clock. Labels hold names that the
experiment gives, and words from closed sets: never an error's text, an address or an id of a pull.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from chaos.history import UNFINISHED
from chaos.journal import Event
from chaos.metrics.families import COMMON, FAMILIES
from chaos.verdict import Result, Verdict, spread

PHASES = ("steady", "inject", "hold", "rollback", "recover", "judge")
RESULTS = ("good", "bad", "crashed")
OUTCOMES = ("open", "restored", "already", "conflict", "failed", "kept", "gone")
VALUES = ("held", "broken", "unknown")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TYPES = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}
Labels = tuple[str, ...]


class Metrics:
    """The numbers so far. Events come from one thread; any other may collect at any time."""

    def __init__(self) -> None:
        self._values: dict[str, dict[Labels, float]] = {name: {} for name in FAMILIES}
        self._latencies: dict[str, tuple[tuple[int, ...], float]] = {}  # by bucket; their sum
        self._pulls: dict[int, str] = {}
        self._experiment = ""
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def __call__(self, event: Event) -> None:
        """Take one event of the run's journal, in their order."""
        take = {
            "run": self._run,
            "phase": self._phase,
            "sample": self._sample,
            "fault": self._fault,
            "pull": self._pull,
            "restored": self._pull,
        }.get(event["event"])
        if take is not None:
            take(event)
        self._set("chaos_run_elapsed_seconds", (), event["t"])

    def judged(self, verdict: Verdict) -> None:
        """Take the verdict on the run, once it has ended."""
        self._one_of("chaos_verdict", (), VALUES, verdict.value)
        self._set("chaos_exit_code", (), verdict.exit_code)
        stopped = verdict.about.get("stopped")
        self._set("chaos_run_stopped", (), float(stopped is not None))
        back = (stopped or {}).get("back_after")
        self._set("chaos_run_back_after_seconds", (), math.nan if back is None else back)
        began, speed, ended = (
            self._values[f"chaos_run_{name}"][()]
            for name in ("start_timestamp_seconds", "speed_ratio", "elapsed_seconds")
        )
        self._set("chaos_run_end_timestamp_seconds", (), began + ended / speed)
        for result in verdict.results:
            self._result(result)

    def collect(self) -> Iterator[Metric]:
        """All families, as prometheus_client asks for them."""
        for name, (kind, labels, told) in FAMILIES.items():
            family = TYPES[kind](name, told, labels=(COMMON, *labels))
            if isinstance(family, HistogramMetricFamily):
                self._histogram(family)
            else:
                # A copy is made in one step, so that no event comes in between.
                for values, number in self._values[name].copy().items():
                    family.add_metric((self._experiment, *values), number)
            yield family

    def _histogram(self, family: HistogramMetricFamily) -> None:
        bounds = [*map(str, BUCKETS), "+Inf"]
        for probe, (counts, total) in self._latencies.copy().items():
            buckets = zip(bounds, accumulate(counts), strict=True)
            family.add_metric([self._experiment, probe], [*buckets], total)

    def _set(self, name: str, labels: Labels, value: float) -> None:
        self._values[name][labels] = value

    def _one_of(self, name: str, labels: Labels, words: Iterable[str], now: str) -> None:
        for word in words:
            self._set(name, (*labels, word), float(word == now))

    def _run(self, event: Event) -> None:
        experiment = event["experiment"]
        self._experiment = experiment["name"]
        self._set("chaos_build_info", (event["tool"],), 1)
        where = event["environment"]["kind"]
        self._set("chaos_run_info", (event["run"], where), 1)
        began = datetime.fromisoformat(event["wall"]).timestamp()
        self._set("chaos_run_start_timestamp_seconds", (), began)
        self._set("chaos_run_speed_ratio", (), event["speed"])
        self._one_of("chaos_run_phase", (), PHASES, "")
        for number, fault in enumerate(experiment["faults"]):
            self._set("chaos_fault_active", (str(number), fault["kind"]), 0)
        for probe in experiment["probes"]:
            self._latencies[probe] = (0,) * (len(BUCKETS) + 1), 0.0
            for result in RESULTS:
                self._set("chaos_probe_attempts_total", (probe, result), 0)
        for probe, promised in experiment["objectives"].items():
            self._promised(probe, promised)
        self._count_pulls()

    def _promised(self, probe: str, promised: dict[str, Any]) -> None:
        for objective, given in promised.items():
            wanted = spread.longest(given)
            if objective == "availability" and wanted is not None:
                self._set("chaos_availability_limit_ratio", (probe,), wanted)
            elif wanted is not None and not isinstance(wanted, bool):
                self._set("chaos_objective_limit_seconds", (probe, objective), wanted)

    def _phase(self, event: Event) -> None:
        self._one_of("chaos_run_phase", (), PHASES, event["phase"])

    def _sample(self, event: Event) -> None:
        probe, ok = event["probe"], event["ok"]
        result = "crashed" if event["crashed"] else "good" if ok else "bad"
        self._values["chaos_probe_attempts_total"][probe, result] += 1
        if not event["crashed"]:
            self._set("chaos_probe_up", (probe,), float(ok))
        if ok:
            took = event["end"] - event["start"]
            counts, total = self._latencies[probe]
            place = next((n for n, bound in enumerate(BUCKETS) if took <= bound), len(BUCKETS))
            counts = (*counts[:place], counts[place] + 1, *counts[place + 1 :])
            self._latencies[probe] = counts, total + took

    def _fault(self, event: Event) -> None:
        if event["state"] in ("injecting", "lifted"):
            active = float(event["state"] == "injecting")
            self._set("chaos_fault_active", (str(event["fault"]), event["kind"]), active)

    def _pull(self, event: Event) -> None:
        self._pulls[event["pull"]] = event.get("outcome", "open")
        self._count_pulls()

    def _count_pulls(self) -> None:
        outcomes = list(self._pulls.values())
        for outcome in OUTCOMES:
            self._set("chaos_pulls", (outcome,), outcomes.count(outcome))
        self._set("chaos_levers_open", (), sum(o in UNFINISHED for o in outcomes))

    def _result(self, result: Result) -> None:
        labels = result.probe, result.objective
        self._one_of("chaos_objective_result", labels, VALUES, result.value)
        if result.objective == "recover_within":
            self._set("chaos_objective_limit_seconds", labels, result.wanted)
        if result.measured is None:
            return
        if result.objective == "availability":
            self._set("chaos_availability_ratio", (result.probe,), result.measured.low)
            return
        self._set("chaos_objective_low_seconds", labels, result.measured.low)
        self._set("chaos_objective_high_seconds", labels, result.measured.high)


def text(metrics: Metrics) -> str:
    """The numbers in Prometheus' text format."""
    return generate_latest(metrics.registry).decode()


def of(events: Iterable[Event], verdict: Verdict) -> Metrics:
    """The numbers of a run that has ended."""
    metrics = Metrics()
    for event in events:
        metrics(event)
    metrics.judged(verdict)
    return metrics


def write(path: Path, events: Iterable[Event], verdict: Verdict) -> None:
    """The numbers of a run that has ended as a file for node_exporter; raises OSError.

    It is there whole or not at all, and readable by whom the umask lets: the exporter is not us.
    """
    write_to_textfile(str(path), of(events, verdict).registry)
