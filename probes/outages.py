"""When a system was down and when it came back, told from attempts alone. Pure arithmetic.

An attempt says what the system was at ONE unknown instant between its start and its end. The
outages are those of the story with the fewest turns that explains every attempt; each turn lies
between the earliest and the latest moment that such a story allows. docs/measurement.md.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from probes.probe import Sample

Window = tuple[float, float]  # from, to; in seconds since the run's start
Span = tuple[float, float]  # start and end of an attempt
Kind = Literal["unaffected", "during", "after", "never", "no_data"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a moment or a length lies, in seconds; `high` is infinite when nothing bounds it."""

    low: float
    high: float

    def since(self, zero: float) -> Interval:
        """The same counted from `zero`, and not below it."""
        return Interval(max(0.0, self.low - zero), max(0.0, self.high - zero))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One time of being down. `began.low` is the first attempt's start when no good one precedes.

    `ended` is None when no attempt shows the end; `count` is the number of its bad attempts.
    """

    began: Interval
    ended: Interval | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Whether and when the system came back from a fault, counted from the injection.

    unaffected  no attempt begun before the lifting was bad: `rto` is 0
    during      back, and confirmed, while the fault was on: a failover
    after       back, but not confirmed before the fault was lifted
    never       not back, or not confirmed, when the observation ended: `rto.high` is infinite
    no_data     no attempt began while the fault was on: `rto` is None
    """

    kind: Kind
    rto: Interval | None
    crashed: int  # attempts left out because the probe itself broke


def outages(samples: Iterable[Sample]) -> list[Outage]:
    """The fewest outages that explain the samples, in order of time; the samples may be in any.

    The system is taken to be up before the first sample. Crashed attempts say nothing.
    """
    bad, good = _evidence(samples)
    latest = _turns(bad, good)
    last_first = (good, bad) if len(latest) % 2 else (bad, good)
    earliest = [-turn for turn in reversed(_turns(*map(_mirrored, last_first)))]
    if len(earliest) < len(latest):  # nothing shows that it was ever up before
        earliest.insert(0, min(start for start, _ in bad + good))
    turns = [Interval(*bounds) for bounds in zip(earliest, latest, strict=True)]
    counts = _counts(bad, ends=latest[1::2])
    ends: list[Interval | None] = [*turns[1::2], None]
    return [
        Outage(began=began, ended=ended, count=counts[n])
        for n, (began, ended) in enumerate(zip(turns[::2], ends, strict=False))
    ]


def recovery(
    samples: Iterable[Sample], *, injected: float, lifted: float | None, confirm: int
) -> Recovery:
    """The last recovery from a fault that was on from `injected` to `lifted`.

    `lifted` is None for a fault that nothing lifts: then the window is the whole observation. A
    recovery counts once `confirm` good attempts, the first one included, follow the last bad one.
    """
    samples = [s for s in samples if s.start >= injected or s.end > injected]
    crashed = sum(s.crashed for s in samples)
    seen = [s for s in samples if not s.crashed]
    until = math.inf if lifted is None else lifted
    within = [s for s in seen if s.start < until]
    found = outages(within)
    if all(s.start < injected for s in within):
        return Recovery(kind="no_data", rto=None, crashed=crashed)
    if not found:
        return Recovery(kind="unaffected", rto=Interval(0.0, 0.0), crashed=crashed)
    if (back := _back(within, found[-1], confirm, until=until)).high < math.inf:
        return Recovery(kind="during", rto=back.since(injected), crashed=crashed)
    back = _back(seen, outages(seen)[-1], confirm)
    if found[-1].began.high > until:
        # Only attempts under way at the lifting show it: it may have begun after, so that the
        # recovery before it was the last one of the fault.
        earlier = found[-2].ended if len(found) > 1 else None
        back = Interval(earlier.low if earlier else injected, back.high)
    kind: Kind = "after" if back.high < math.inf else "never"
    return Recovery(kind=kind, rto=back.since(injected), crashed=crashed)


def heals(samples: Iterable[Sample], *, lifted: float, confirm: int) -> Interval | None:
    """How long the system stayed bad once the fault was gone: to its last recovery after that.

    `high` is infinite when it is not back, with `confirm` good attempts since the lifting; None
    when no attempt began after the lifting.
    """
    seen = [s for s in samples if not s.crashed]
    since = [s for s in seen if s.start >= lifted]
    if not since:
        return None
    if found := outages(seen):
        return _back(seen, found[-1], confirm, since=lifted).since(lifted)
    return Interval(0.0, 0.0 if len(since) >= confirm else math.inf)


def downtime(samples: Iterable[Sample], window: Window) -> Interval:
    """For how many seconds of the window the system was down: at least and at most."""
    low = high = 0.0
    for outage in outages(samples):
        ended = outage.ended or Interval(math.inf, math.inf)
        low += _overlap(outage.began.high, ended.low, window)
        high += _overlap(outage.began.low, ended.high, window)
    return Interval(low, min(high, window[1] - window[0]))


def availability(samples: Iterable[Sample], window: Window) -> float | None:
    """The fraction of attempts begun in the window that were good; None when there were none."""
    told = [s.ok for s in samples if not s.crashed and window[0] <= s.start < window[1]]
    return sum(told) / len(told) if told else None


def longest_gap(samples: Iterable[Sample], window: Window) -> float:
    """The longest time of the window, in seconds, in which no attempt began, crashed or not."""
    starts = [s.start for s in samples if window[0] < s.start < window[1]]
    return max(b - a for a, b in pairwise([window[0], *sorted(starts), window[1]]))


def _evidence(samples: Iterable[Sample]) -> tuple[list[Span], list[Span]]:
    """The spans of the bad and of the good attempts, each in order of start."""
    told = [s for s in samples if not s.crashed]
    bad = sorted((s.start, s.end) for s in told if not s.ok)
    # Two attempts at one and the same instant cannot differ: the bad one is believed.
    instants = {span for span in bad if span[0] == span[1]}
    good = sorted(span for s in told if s.ok and (span := (s.start, s.end)) not in instants)
    return bad, good


def _turns(first: Sequence[Span], second: Sequence[Span]) -> list[float]:
    """The turns, each as late as can be, of the story with the fewest that explains all spans.

    `first` are the spans that need the state which the first turn brings, `second` the others,
    both in order.
    Whoever turns later leaves fewer spans to be explained by further turns: greed is optimal.
    """
    sides = (first, second)
    turns = [-math.inf]
    while (turn := _first_end(sides[(len(turns) - 1) % 2], turns[-1])) < math.inf:
        turns.append(turn)
    return turns[1:]


def _first_end(spans: Sequence[Span], since: float) -> float:
    """The first end of the spans that start at `since` or later; infinite when there is none."""
    first = math.inf
    for n in range(bisect_left(spans, (since,)), len(spans)):
        start, end = spans[n]
        if start >= first:  # and so do all that follow
            break
        first = min(first, end)
    return first


def _mirrored(spans: Sequence[Span]) -> list[Span]:
    """Time run backwards, in order: so the latest turns become the earliest."""
    return sorted((-end, -start) for start, end in reversed(spans))


def _counts(bad: Iterable[Span], ends: Sequence[float]) -> list[int]:
    """How many bad attempts each outage explains, in the story with the latest turns."""
    counts = [0] * (len(ends) + 1)
    for start, _ in bad:
        counts[bisect_right(ends, start)] += 1
    return counts


def _back(
    seen: Sequence[Sample],
    last: Outage,
    confirm: int,
    *,
    since: float = -math.inf,
    until: float = math.inf,
) -> Interval:
    """When the last outage ended, confirmed by good attempts wholly from `since` to `until`."""
    last_bad = max(s.start for s in seen if not s.ok)
    proof = [s for s in seen if s.start > last_bad and s.start >= max(since, last.began.high)]
    if last.ended is None or sum(s.end <= until for s in proof) < confirm:
        return Interval(last_bad, math.inf)
    return last.ended


def _overlap(begin: float, end: float, window: Window) -> float:
    return max(0.0, min(end, window[1]) - max(begin, window[0]))
