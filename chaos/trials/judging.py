"""What the trials of a set say together. Pure; docs/measurement.md has the rules.

A trial that cannot tell, and one that was planned and not made, has neither passed nor failed: it
counts against whoever says that the promise is held, and for whoever says that it is not broken. So
it is no use to end a set when it looks well, and none to leave out a trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chaos import statistics
from chaos.trials.promises import Found, Promise, TrialResult
from chaos.verdict.finding import Value
from chaos.verdict.rules import RECOVER_WITHIN
from probes.outages import Interval

CONFIDENCE = 0.95  # of what is stated though nobody has asked for it
PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
EXIT_CODES: dict[Value, int] = {"held": 0, "broken": 1, "unknown": 3}
ROLLBACK_INCOMPLETE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """`seen` is that of these trials; that of all such outages lies in `shown`.

    Each end of `shown` is so with the confidence; seconds.
    """

    name: str
    seen: Interval
    shown: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One promise over all trials, `of` which were planned; `told` says trial by trial, by number.

    `longest` unless a longer limit was promised of the same, which it is no fault to come near to.
    At least `least` and at most `most` of all such outages keep it, each with `confidence`.
    """

    promise: Promise
    longest: bool
    value: Value
    passed: int
    failed: int
    of: int
    told: dict[int, Found]
    confidence: float
    least: float
    most: float
    percentiles: tuple[Percentile, ...]

    @property
    def flaky(self) -> bool:
        """Whether the same system kept it and broke it."""
        return bool(self.longest and self.passed and self.failed)

    @property
    def unknown(self) -> int:
        """Trials that were made and cannot tell."""
        return len(self.told) - self.passed - self.failed

    @property
    def allowed(self) -> int:
        """How many of the trials may fail; -1: so few trials cannot show it."""
        p = self.promise
        return statistics.failures_allowed(self.of, p.share, p.confidence) if p.percentile else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVerdict:
    """The verdict on a set. `undone` are the runs in which a lever is not back."""

    value: Value
    exit_code: int
    of: int
    trials: tuple[TrialResult, ...]
    judged: tuple[Judged, ...]
    undone: tuple[str, ...]
    ended: str  # why no further trial was made; empty when all were

    @property
    def flaky(self) -> bool:
        """Whether some trials held and others did not."""
        return any(one.flaky for one in self.judged)


def judge(trials: Sequence[TrialResult], of: int, ended: str = "") -> SetVerdict:
    """The verdict on these trials of so many that were planned."""
    found = dict.fromkeys(promise for trial in trials for promise in trial.found)
    promises = sorted(found, key=lambda promise: promise.objective == RECOVER_WITHIN)
    judged = tuple(_judged(promise, trials, of) for promise in promises)
    undone = tuple(trial.run for trial in trials if trial.verdict.exit_code == ROLLBACK_INCOMPLETE)
    value = _merged([one.value for one in judged])
    return SetVerdict(
        value="unknown" if undone else value,
        exit_code=ROLLBACK_INCOMPLETE if undone else EXIT_CODES[value],
        of=of,
        trials=tuple(trials),
        judged=judged,
        undone=undone,
        ended=ended,
    )


def _merged(values: Sequence[Value]) -> Value:
    if "broken" in values:
        return "broken"
    return "held" if values and set(values) == {"held"} else "unknown"


def _judged(promise: Promise, trials: Sequence[TrialResult], of: int) -> Judged:
    told = {trial.n: trial.found[promise] for trial in trials if promise in trial.found}
    passed = sum(found.outcome == "passed" for found in told.values())
    failed = sum(found.outcome == "failed" for found in told.values())
    confidence = promise.confidence or CONFIDENCE
    return Judged(
        promise=promise,
        longest=not any(_longer(p, promise) for trial in trials for p in trial.found),
        value=_value(promise, trials, passed, failed, of),
        passed=passed,
        failed=failed,
        of=of,
        told=told,
        confidence=confidence,
        least=statistics.least_share(passed, of, confidence),
        most=statistics.most_share(of - failed, of, confidence),
        percentiles=tuple(_percentiles(promise, told, of, confidence)),
    )


def _longer(one: Promise, than: Promise) -> bool:
    same = (one.probe, one.objective) == (than.probe, than.objective)
    return same and one.percentile > than.percentile


def _value(
    promise: Promise, trials: Sequence[TrialResult], passed: int, failed: int, of: int
) -> Value:
    if promise.percentile:
        return _of_many(promise, passed, failed, of)
    if failed:
        return "broken"
    if promise.objective == RECOVER_WITHIN:
        of = sum(map(_tells, trials))  # of the others each objective says that they cannot tell
    return "held" if passed and passed == of else "unknown"


def _of_many(promise: Promise, passed: int, failed: int, of: int) -> Value:
    """Held: the passes alone show it. Broken: even if all the rest passed, too few would."""
    if statistics.shows(passed, of, promise.share, promise.confidence):
        return "held"
    refuted = statistics.refutes(of - failed, of, promise.share, promise.confidence)
    return "broken" if refuted else "unknown"


def _tells(trial: TrialResult) -> bool:
    return any(found.outcome != "unknown" for found in trial.found.values())


def _percentiles(
    promise: Promise, told: dict[int, Found], of: int, confidence: float
) -> Iterator[Percentile]:
    """What is not known to have ended is taken to last, and what is not known to last to be 0 s."""
    if not promise.timed or not told:
        return
    times = [found.time for found in told.values()]
    lows = sorted(time.low for time in times)
    highs = sorted(time.high for time in times)
    missing = of - len(times)
    for name, share in PERCENTILES.items():
        rank = statistics.nearest_rank(len(times), share)
        low = statistics.quantile_at_least([*[0.0] * missing, *lows], share, confidence)
        high = statistics.quantile_at_most([*highs, *[float("inf")] * missing], share, confidence)
        yield Percentile(
            name=name,
            seen=Interval(lows[rank - 1], highs[rank - 1]),
            shown=Interval(low, high),
        )
