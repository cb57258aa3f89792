"""Recovery, healing and time down against every course of the state that explains the attempts.

What docs/measurement.md promises is written here a second time, over all courses with the fewest
turns: by trying, with nothing of the arithmetic but its result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from attempts import attempt
from courses import LAST, POINTS, Course, fewest, turns, turns_of
from hypothesis import event, given, settings
from hypothesis import strategies as st

from probes.outages import Interval, availability, downtime, heals, recovery
from probes.probe import Sample


def spans(
    starts: st.SearchStrategy[int],
    lengths: st.SearchStrategy[int],
    oks: st.SearchStrategy[bool],
) -> st.SearchStrategy[Sample]:
    """Attempts; one of ten crashes."""
    return st.tuples(starts, lengths, oks, st.integers(0, 9)).map(
        lambda s: attempt(s[0], min(LAST, s[0] + s[1]), s[2], crashed=s[3] == 9)
    )


anything = spans(st.integers(0, LAST - 1), st.integers(1, 3), st.booleans())
# Good answers beside a bad attempt that hangs may be older than the outage that it met.
hanging = spans(st.integers(0, 2), st.integers(2, 4), st.just(False))
quick = spans(st.integers(0, LAST - 1), st.just(1), st.just(True))
histories = st.one_of(
    st.lists(anything, min_size=1, max_size=8),
    st.tuples(hanging, st.lists(quick, min_size=1, max_size=7)).map(lambda s: [s[0], *s[1]]),
)
moments = st.integers(0, 2 * LAST).map(lambda n: n / 2)
confirms = st.integers(1, 3)


def known(samples: Sequence[Sample]) -> list[Sample]:
    return [s for s in samples if not s.crashed]


def may_be_older(good: Sample, courses: Sequence[Course]) -> bool:
    """Whether it may have been answered before the last outage began, in one of the courses."""
    for course in courses:
        begins = turns_of(course)[::2][-1][1]
        if any(good.start <= p < begins and p <= good.end for p in POINTS):
            return True
    return False


def proofs(samples: Sequence[Sample], since: float, until: float) -> int:
    """The good attempts that show that the last outage is over, made wholly in that time."""
    told, courses = known(samples), fewest(known(samples))
    last_bad = max(s.start for s in told if not s.ok)
    good = [s for s in told if s.ok and s.start > last_bad and s.start >= since and s.end <= until]
    return sum(not may_be_older(s, courses) for s in good)


def back(
    samples: list[Sample], confirm: int, since: float = -math.inf, until: float = math.inf
) -> tuple[float, float]:
    """Between which moments the last outage ended; from its last bad attempt on, if unconfirmed."""
    found = turns(samples)
    if len(found) % 2 == 0 and proofs(samples, since, until) >= confirm:
        return found[-1]
    return max(s.start for s in known(samples) if not s.ok), math.inf


def recovered(
    samples: list[Sample], injected: float, lifted: float, confirm: int
) -> tuple[str, tuple[float, float] | None]:
    """The kind of the recovery, and between which moments it was."""
    concerned = [s for s in known(samples) if s.start >= injected or s.end > injected]
    begun = [s for s in concerned if s.start < lifted]
    if not any(s.start >= injected for s in begun):
        return "no_data", None
    if all(s.ok for s in begun):
        return "unaffected", (injected, injected)
    within = back(begun, confirm, until=lifted)
    if within[1] < math.inf:
        return "during", within
    low, high = back(concerned, confirm)
    began = turns(begun)[-1 if len(turns(begun)) % 2 else -2][1]
    if began > lifted:  # or else it began after the lifting, and is not the fault's
        before = turns(begun)[: -1 if len(turns(begun)) % 2 else -2]
        low = before[-1][0] if before else injected
    return ("after" if high < math.inf else "never"), (low, high)


def counted(bounds: tuple[float, float], zero: float) -> Interval:
    return Interval(max(0.0, bounds[0] - zero), max(0.0, bounds[1] - zero))


@settings(max_examples=400)
@given(histories, moments, moments, confirms)
def test_a_recovery_is_what_the_docs_say(
    samples: list[Sample], one: float, other: float, confirm: int
) -> None:
    injected, lifted = sorted([one, other])
    told = recovery(samples, injected=injected, lifted=lifted, confirm=confirm)
    kind, bounds = recovered(samples, injected, lifted, confirm)
    event(kind)
    assert told.kind == kind
    assert told.rto == (None if bounds is None else counted(bounds, injected))


@settings(max_examples=200)
@given(histories, moments, confirms)
def test_a_recovery_from_what_nothing_lifts_is_what_the_docs_say(
    samples: list[Sample], injected: float, confirm: int
) -> None:
    told = recovery(samples, injected=injected, lifted=None, confirm=confirm)
    kind, bounds = recovered(samples, injected, math.inf, confirm)
    assert (told.kind, told.rto) == (kind, None if bounds is None else counted(bounds, injected))
    assert told.kind != "after"


@settings(max_examples=400)
@given(histories, moments, confirms)
def test_healing_is_what_the_docs_say(samples: list[Sample], lifted: float, confirm: int) -> None:
    told = heals(samples, lifted=lifted, confirm=confirm)
    since = [s for s in known(samples) if s.start >= lifted]
    if not since:
        assert told is None
    elif all(s.ok for s in known(samples)):
        assert told == Interval(0, 0 if len(since) >= confirm else math.inf)
    else:
        assert told == counted(back(samples, confirm, since=lifted), lifted)


def overlap(begin: float, end: float, window: tuple[float, float]) -> float:
    return max(0.0, min(end, window[1]) - max(begin, window[0]))


@settings(max_examples=400)
@given(histories, moments, moments)
def test_the_time_down_of_every_course_lies_in_what_is_told(
    samples: list[Sample], one: float, other: float
) -> None:
    window = min(one, other), max(one, other)
    told = downtime(samples, window)
    first = min((s.start for s in known(samples)), default=0.0)
    for course in fewest(known(samples)):
        found = [*turns_of(course), (math.inf, math.inf)]
        downs = list(zip(found[::2], found[1::2], strict=False))
        # A turn lies anywhere between two points; nothing is said of the time before the first.
        assert told.low <= sum(overlap(down[1], up[0], window) for down, up in downs)
        assert told.high >= sum(overlap(max(first, d[0]), u[1], window) for d, u in downs)
    assert 0 <= told.low <= told.high <= window[1] - window[0]


@settings(max_examples=200)
@given(histories, moments, moments)
def test_availability_is_a_count(samples: list[Sample], one: float, other: float) -> None:
    begin, end = sorted([one, other])
    good = bad = 0
    for s in samples:
        if not s.crashed and s.start >= begin and s.start < end:
            good, bad = good + s.ok, bad + (not s.ok)
    told = availability(samples, (begin, end))
    assert told == (good / (good + bad) if good + bad else None)
