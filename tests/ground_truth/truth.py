"""What really happened against what is told: is the truth in the interval? Pure arithmetic.

Times are seconds since the origin of the probe's grid, on the machine's monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ground_truth.scripts import CONFIRM, PARTIAL, Scenario

from probes.outages import Interval, Outage, downtime, heals, outages, recovery
from probes.probe import Sample

ROUNDING = 1e-6  # of the times in a Sample


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a partial outage, good or bad, as whoever gave it knows."""

    at: Interval
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Each turn (down first) really lies in its interval; `answers` of a partial outage alone."""

    turns: tuple[Interval, ...]
    answers: tuple[Answer, ...] = ()


@dataclass(slots=True, kw_only=True)
class Judged:
    """What came of one scenario; `wrong` is empty when all that was told is true."""

    name: str
    kind: str = ""
    late: float = 0.0  # how late the machine alone made answers, when that spoils the scenario
    widths: list[float] = field(default_factory=list)  # of each recovery, in periods
    answer_s: float = 0.0  # the median time of a good answer
    bounds: list[float] = field(default_factory=list)  # how exactly the truth is known, in seconds
    early: float = 0.0  # how long before the end of a partial outage it was last seen, in seconds
    wrong: list[str] = field(default_factory=list)


def judge(scenario: Scenario, samples: Sequence[Sample], truth: Truth, late: float) -> Judged:
    """Everything that is told of these attempts, against the truth.

    `late` is by how many seconds the machine made an answer late meanwhile that had no reason to
    be. Beyond half of what an attempt is allowed to take, the script is not all that was measured.
    """
    judged = Judged(name=scenario.name)
    if late > scenario.limit_ms / 1000 / 2:
        judged.late = late
        return judged
    last = max(s.end for s in samples)
    known = tuple(a for a in truth.answers if a.at.low <= last)  # no attempt was cut off
    truth = Truth(turns=truth.turns, answers=known)
    told = outages(samples)
    turns = _as_answered(truth) if scenario.script.how in PARTIAL else truth.turns
    if len(_bounds(told)) != len(turns) or not turns:
        judged.wrong.append(f"{len(turns)} turns, and {len(_bounds(told))} are told")
        judged.wrong += _unfounded(samples, truth.turns)
        return judged
    judged.bounds = [turn.high - turn.low for turn in truth.turns]
    judged.wrong += _turns(told, turns)
    judged.wrong += _widths(told, samples)
    if scenario.script.how in PARTIAL:
        judged.wrong += _answers(samples, truth.answers)
        judged.wrong += _within(told, truth.turns)
        judged.early = max(0.0, truth.turns[-1].low - _bounds(told)[-1].high)
    else:
        judged.wrong += _downtime(samples, turns)
    _recovery(judged, scenario, samples, turns)
    good = sorted(s.end - s.start for s in samples if s.ok)
    judged.answer_s = good[len(good) // 2]
    return judged


def _as_answered(truth: Truth) -> tuple[Interval, ...]:
    """The turns between answers of different kinds: from the one to the other, nobody knows."""
    return tuple(
        Interval(a.at.low, b.at.high) for a, b in pairwise(truth.answers) if a.ok is not b.ok
    )


def _bounds(told: Sequence[Outage]) -> list[Interval]:
    return [turn for o in told for turn in (o.began, o.ended) if turn is not None]


def _turns(told: Sequence[Outage], turns: Sequence[Interval]) -> Iterator[str]:
    for turn, interval in zip(turns, _bounds(told), strict=True):
        if not meets(turn, interval):
            yield f"a turn at {shown(turn)} is told as {shown(interval)}"


def _unfounded(samples: Sequence[Sample], turns: Sequence[Interval]) -> Iterator[str]:
    """The bad attempts that were made while all was well: why there are any must be found out."""
    downs = list(zip(turns[::2], turns[1::2], strict=True))
    for s in samples:
        if not s.ok and not any(s.end >= a.low and s.start <= b.high for a, b in downs):
            yield f"an attempt from {s.start} to {s.end} failed: {s.error}; {s.phases} {s.detail}"


def _widths(told: Sequence[Outage], samples: Sequence[Sample]) -> Iterator[str]:
    """No wider than a period and an attempt, as long as these really were."""
    starts = sorted(s.start for s in samples)
    widest = max(b - a for a, b in pairwise(starts)) + max(s.end - s.start for s in samples)
    for interval in _bounds(told):
        if interval.high - interval.low > widest + ROUNDING:
            yield f"{shown(interval)} is wider than {widest:.6f}"


def _answers(samples: Sequence[Sample], answers: Sequence[Answer]) -> Iterator[str]:
    """Each attempt must say what its own question was answered, one after the other."""
    ordered = sorted(samples, key=lambda s: s.start)
    for answer in answers:
        asked = [s for s in ordered if s.start <= answer.at.high and s.end >= answer.at.low]
        if asked and all(s.ok is not answer.ok for s in asked):
            yield f"an answer at {shown(answer.at)} was {answer.ok}, and no attempt says so"


def _within(told: Sequence[Outage], turns: Sequence[Interval]) -> Iterator[str]:
    """A partial outage is told to lie nowhere but in its time."""
    for interval in _bounds(told):
        if not (interval.high >= turns[0].low and interval.low <= turns[-1].high + ROUNDING):
            yield f"{shown(interval)} is told, and all was well"


def _downtime(samples: Sequence[Sample], turns: Sequence[Interval]) -> Iterator[str]:
    last = max(s.start for s in samples)
    for window in ((0.0, last), (turns[0].low, turns[-1].high), (last / 3, last / 2)):
        downs = list(zip(turns[::2], turns[1::2], strict=True))
        low = sum(_overlap(down.high, up.low, window) for down, up in downs)
        high = sum(_overlap(down.low, up.high, window) for down, up in downs)
        told = downtime(samples, window)
        if not meets(Interval(low, high), told):
            yield f"{low:.6f} s down in {window} are told as {shown(told)}"


def _recovery(
    judged: Judged, scenario: Scenario, samples: Sequence[Sample], turns: Sequence[Interval]
) -> None:
    offset = scenario.offset_ms / 1000
    injected = scenario.injected_ms / 1000 - offset
    lifted = scenario.lifted_ms / 1000 - offset
    told = recovery(samples, injected=injected, lifted=lifted, confirm=CONFIRM)
    judged.kind = told.kind
    back = turns[-1]
    if told.rto is None or not meets(back.since(injected), told.rto):
        judged.wrong.append(f"{told}, and it was back at {shown(back.since(injected))}")
    elif told.rto.high < math.inf:
        judged.widths.append((told.rto.high - told.rto.low) / (scenario.every_ms / 1000))
    if told.kind == "during" and back.low > lifted:
        judged.wrong.append(f"a failover is told, and the fault was lifted at {lifted}")
    healed = heals(samples, lifted=lifted, confirm=CONFIRM)
    if (healed is None) is any(s.start >= lifted for s in samples):
        judged.wrong.append("there is a healing if, and only if, there is an attempt to see it")
    if healed and not meets(back.since(lifted), healed):
        judged.wrong.append(f"healing {healed}, and it was back at {shown(back.since(lifted))}")


def meets(truth: Interval, told: Interval) -> bool:
    """Whether a moment that really lies in `truth` may lie in what is told."""
    return truth.low <= told.high + ROUNDING and truth.high >= told.low - ROUNDING


def shown(interval: Interval) -> str:
    """An interval, to the microsecond."""
    return f"[{interval.low:.6f}, {interval.high:.6f}]"


def _overlap(begin: float, end: float, window: tuple[float, float]) -> float:
    return max(0.0, min(end, window[1]) - max(begin, window[0]))
