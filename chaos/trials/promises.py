"""What one trial says of each promise: kept, broken, or that it cannot tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaos.errors import ChaosError
from chaos.history import History, load
from chaos.verdict import Result, Verdict, judge_safely, spread
from chaos.verdict.doubts import doubts
from chaos.verdict.finding import Value, compared
from probes.outages import Interval

Outcome = Literal["passed", "failed", "unknown"]

BOUNDLESS = Interval(0.0, math.inf)
OUTCOMES: dict[Value, Outcome] = {"held": "passed", "broken": "failed", "unknown": "unknown"}
# A system that was back only since the fault was lifted might never have come back by itself.
BY_ITSELF = ("rto", "full_capacity_within")
NOT_BY_ITSELF = ("after lifting", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One limit of one objective; `percentile` and `confidence` when it is about many runs."""

    probe: str
    objective: str
    limit: float | bool
    percentile: str = ""
    confidence: float = 0.0

    @property
    def share(self) -> float:
        """Which share of all trials has to keep it."""
        return spread.PERCENTILES[self.percentile] if self.percentile else 1.0

    @property
    def timed(self) -> bool:
        """Whether its limit is a time."""
        return self.objective != "availability" and not isinstance(self.limit, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a trial says of a promise; `time` has no end where it says none."""

    outcome: Outcome
    time: Interval
    measured: Interval | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """One trial, judged from its journal; without one that can be read it says nothing."""

    n: int
    run: str
    verdict: Verdict
    found: dict[Promise, Found]
    stopped: str = ""
    wall: str = ""
    ended: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """Of all promises together; of several limits of one objective the longest counts."""
        longest: dict[tuple[str, str], Found] = {}
        for promise, found in sorted(self.found.items(), key=lambda pair: pair[0].limit):
            longest[promise.probe, promise.objective] = found
        outcomes = {found.outcome for found in longest.values()}
        if "failed" in outcomes:
            return "failed"
        return "unknown" if "unknown" in outcomes or not outcomes else "passed"


def result_of(journal: Path, n: int, of_set: str) -> TrialResult:
    """What that journal says, as the n-th trial of that set."""
    try:
        history = load(journal)
    except (ChaosError, OSError) as error:
        return _nothing(journal, n, f"trial {n} cannot be read: {error}")
    trial = history.header.get("trial", {})
    if (trial.get("set"), trial.get("n")) != (of_set, n):
        return _nothing(journal, n, f"{history.run} is not trial {n} of {of_set}")
    return told_by(history, n)


def told_by(history: History, n: int) -> TrialResult:
    """What that run says, as the n-th trial."""
    return TrialResult(
        n=n,
        run=history.run,
        verdict=judge_safely(history),
        found=dict(_found(history)),
        stopped=next(iter(history.stops), ""),
        wall=history.header["wall"],
        ended=history.ended,
    )


def _nothing(journal: Path, n: int, why: str) -> TrialResult:
    verdict = Verdict(value="unknown", exit_code=3, reasons=(why,))
    return TrialResult(n=n, run=journal.parent.name, verdict=verdict, found={})


def _found(history: History) -> Iterator[tuple[Promise, Found]]:
    """Each percentile is judged as if its limit had been promised of this run."""
    objectives = history.experiment["objectives"]
    asked = {p for of in objectives.values() for w in of.values() for p in spread.limits(w)}
    for percentile in ("", *(p for p in spread.PERCENTILES if p in asked)):
        verdict = judge_safely(spread.promising(history, percentile))
        spoiled = bool(doubts(history, verdict.probes.values()))
        for result in verdict.results:
            wanted = objectives.get(result.probe, {}).get(result.objective)
            limits = spread.limits(wanted)
            if percentile in limits or not (percentile or limits):
                confidence = wanted[spread.CONFIDENCE] if limits else 0.0
                yield _promise(result, percentile, confidence), _told(result, spoiled=spoiled)


def _promise(result: Result, percentile: str, confidence: float) -> Promise:
    return Promise(
        probe=result.probe,
        objective=result.objective,
        limit=result.wanted,
        percentile=percentile,
        confidence=confidence,
    )


def _told(result: Result, *, spoiled: bool) -> Found:
    """What was measured in a run that did not go as planned is no evidence, either way."""
    outcome = "unknown" if spoiled else OUTCOMES[result.value]
    return Found(
        outcome=outcome,
        time=BOUNDLESS if spoiled else _time(result),
        measured=result.measured,
        reason=result.reason,
    )


def _time(result: Result) -> Interval:
    """What is known of it: a measurement that no verdict could be built on is not."""
    measured = result.measured
    if measured is None or isinstance(result.wanted, bool):
        return BOUNDLESS
    if result.value == "unknown" and compared(measured, result.wanted) != "unknown":
        return BOUNDLESS
    if result.value == "broken" and compared(measured, result.wanted) != "broken":
        return Interval(measured.low, math.inf)  # what broke it is no matter of time
    if result.objective in BY_ITSELF and result.how in NOT_BY_ITSELF:
        return Interval(measured.low, math.inf)
    return measured
