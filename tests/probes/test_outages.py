"""Whatever the attempts show, the true moment lies in the interval that is told of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.outages import (
    Interval,
    Outage,
    Recovery,
    availability,
    downtime,
    heals,
    longest_gap,
    outages,
    recovery,
)
from probes.probe import Sample

EPSILON = 1e-9


def attempt(start: float, end: float, ok: bool, *, crashed: bool = False) -> Sample:
    return Sample(probe="p", n=int(start), due=start, start=start, end=end, ok=ok, crashed=crashed)


def row(signs: str, every: float = 1.0, took: float = 0.25) -> list[Sample]:
    """One attempt a period: + good, - bad, ? crashed, and none at all where there is a space."""
    return [
        attempt(n * every, n * every + took, sign == "+", crashed=sign == "?")
        for n, sign in enumerate(signs)
        if sign != " "
    ]


def outage(began: tuple[float, float], ended: tuple[float, float] | None, count: int) -> Outage:
    return Outage(began=Interval(*began), ended=Interval(*ended) if ended else None, count=count)


# --- outages ------------------------------------------------------------------------------

UP, DOWN = True, False
OUTAGES: dict[str, tuple[list[Sample], list[Outage]]] = {
    "nothing seen": ([], []),
    "always good": (row("+++"), []),
    "only crashes": (row("???"), []),
    "one bad attempt": (row("+-+"), [outage((0, 1.25), (1, 2.25), 1)]),
    "several": (row("+---+"), [outage((0, 1.25), (3, 4.25), 3)]),
    "a crash in between changes nothing": (row("+-?-+"), [outage((0, 1.25), (3, 4.25), 2)]),
    "down from the first attempt on": (row("--+"), [outage((0, 0.25), (1, 2.25), 2)]),
    "never good": (row("--"), [outage((0, 0.25), None, 2)]),
    "down at the end": (row("++--"), [outage((1, 2.25), None, 2)]),
    "flapping": (
        row("+-+-+"),
        [outage((0, 1.25), (1, 2.25), 1), outage((2, 3.25), (3, 4.25), 1)],
    ),
    "hanging attempts overlap good ones, once one of them has ended": (
        [
            *(attempt(n, n + 3, DOWN) for n in range(5)),
            *(attempt(n, n + 0.25, UP) for n in range(5, 9)),
        ],
        [outage((0, 3), (4, 5.25), 5)],
    ),
    "a good answer while the only bad attempt hangs may be older than the outage": (
        [attempt(0, 3, DOWN), *(attempt(n, n + 0.25, UP) for n in range(1, 5))],
        [outage((0, 3), (0, 3.25), 1)],
    ),
    "an attempt begun before the outage and ended in it may be good or bad": (
        [attempt(0, 2.5, DOWN), attempt(1, 1.25, UP), attempt(2, 2.25, DOWN)],
        [outage((1, 2.25), None, 2)],
    ),
    "a slow good attempt that began among bad ones and ended after them is no flap": (
        [attempt(0, 0.25, DOWN), attempt(1, 3.5, UP), attempt(2, 2.25, DOWN), attempt(3, 3.25, UP)],
        [outage((0, 0.25), (2, 3.25), 2)],
    ),
    "a quick good attempt among bad ones is a flap": (
        [
            attempt(0, 0.25, DOWN),
            attempt(1, 1.25, UP),
            attempt(2, 2.25, DOWN),
            attempt(3, 3.25, UP),
        ],
        [outage((0, 0.25), (0, 1.25), 1), outage((1, 2.25), (2, 3.25), 1)],
    ),
    "attempts that take no time": (
        [attempt(0, 0, UP), attempt(1, 1, DOWN), attempt(2, 2, UP)],
        [outage((0, 1), (1, 2), 1)],
    ),
    "a bad attempt ends in the instant in which a good one is made": (
        [attempt(0, 2, DOWN), attempt(2, 2, UP)],
        [outage((0, 2), (0, 2), 1)],
    ),
    "of two that contradict each other in one instant the bad one is believed": (
        [attempt(1, 1, DOWN), attempt(1, 1, UP)],
        [outage((1, 1), None, 1)],
    ),
}


@pytest.mark.parametrize(("samples", "expected"), OUTAGES.values(), ids=OUTAGES)
def test_outages_of_few_attempts(samples: list[Sample], expected: list[Outage]) -> None:
    assert outages(samples) == expected


spans = st.tuples(st.integers(0, 5), st.integers(1, 5), st.booleans()).map(
    lambda span: attempt(span[0], min(6, span[0] + span[1]), span[2])
)


@settings(max_examples=200, deadline=None)
@given(st.lists(spans, min_size=1, max_size=7))
def test_no_story_with_as_few_turns_turns_outside_the_intervals(samples: list[Sample]) -> None:
    """Against every course of the state there is, on a grid finer than the attempts' ends."""
    points = [n / 2 for n in range(13)]
    stories = []
    for states in product((UP, DOWN), repeat=len(points)):
        course = dict(zip(points, states, strict=True))
        if all(_explains(course, s) for s in samples):
            turns = _turns_of(points, states)
            stories.append(turns)
    fewest = [turns for turns in stories if len(turns) == min(map(len, stories))]
    told = outages(samples)
    found = [turn for o in told for turn in (o.began, o.ended) if turn is not None]
    first = min(s.start for s in samples)
    assert found == [
        Interval(max(first, min(before for before, _ in turn)), max(after for _, after in turn))
        for turn in zip(*fewest, strict=True)
    ]
    assert sum(o.count for o in told) == sum(not s.ok for s in samples)
    assert all(o.count for o in told)


def _explains(course: dict[float, bool], s: Sample) -> bool:
    return any(state == s.ok for point, state in course.items() if s.start <= point <= s.end)


def _turns_of(points: Sequence[float], states: Sequence[bool]) -> list[tuple[float, float]]:
    """The last point of the old state and the first of the new one; before all, it was up."""
    befores = zip([-math.inf, *points], [UP, *states], strict=False)
    pairs = zip(befores, zip(points, states, strict=True), strict=True)
    return [(point, then) for (point, old), (then, new) in pairs if old != new]


@given(st.lists(spans, max_size=12), st.randoms())
def test_the_order_of_the_samples_does_not_matter(samples: list[Sample], order: Random) -> None:
    expected = outages(samples)
    order.shuffle(samples)
    assert outages(samples) == expected


# --- a simulated system -------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    """A system that goes up and down at `turns` (down first), and what a probe saw of it."""

    turns: list[float]
    every: float
    timeout: float
    until: float
    samples: list[Sample]

    def up(self, t: float) -> bool:
        return sum(turn <= t for turn in self.turns) % 2 == 0

    def downs(self) -> list[tuple[float, float]]:
        ends = [*self.turns[1::2], math.inf]
        return list(zip(self.turns[::2], ends, strict=False))

    def down_for(self, begin: float, end: float) -> float:
        return sum(max(0.0, min(up, end) - max(down, begin)) for down, up in self.downs())


def simulate(random: Random, *, first: float = 0.0) -> Simulated:
    """No state lasts shorter than a period and two timeouts; attempts overlap and end in any order.

    An attempt's answer is the state at one instant within it: at its start (refused, or hanging
    until the timeout), at any (a slow answer), or at the recovery that rescued a hanging one.
    """
    every = random.choice([0.25, 0.5, 1.0, 3.0])
    timeout = every * random.choice([0.3, 1.0, 2.0, 4.7])
    turns, t = [], first
    for _ in range(random.randrange(5)):
        t += every + 2 * timeout + random.random() * random.choice([0.1, 10.0]) * every
        turns.append(t)
    until = t + every + 3 * timeout + random.random() * 10 * every
    bare = Simulated(turns, every, timeout, until, [])
    count = int((until - timeout) / every)
    samples = [_attempted(bare, n * every, random) for n in range(count)]
    return Simulated(turns, every, timeout, until, samples)


def _attempted(system: Simulated, start: float, random: Random) -> Sample:
    quick = random.random() * min(0.1 * system.every, system.timeout)
    match random.choice(["refused", "hangs", "rescued", "slow"]):
        case "hangs" if not system.up(start):
            return attempt(start, start + system.timeout, DOWN)
        case "rescued" if not system.up(start):
            back = next((turn for turn in system.turns[1::2] if turn > start), math.inf)
            ok = back + quick <= start + system.timeout
            return attempt(start, back + quick if ok else start + system.timeout, ok)
        case "slow":
            took = random.random() * system.timeout
            return attempt(start, start + took, system.up(start + random.random() * took))
    return attempt(start, start + quick, system.up(start))


seeds = st.integers(0, 2**32 - 1).map(Random)


def lies_in(t: float, interval: Interval) -> bool:
    return interval.low - EPSILON <= t <= interval.high + EPSILON


@settings(max_examples=400, deadline=None)
@given(seeds)
def test_each_turn_of_a_system_lies_in_its_interval(random: Random) -> None:
    system = simulate(random)
    found = [t for o in outages(system.samples) for t in (o.began, o.ended) if t is not None]
    # The last turn may be too near the end of the observation to be seen.
    assert len(found) in (len(system.turns), len(system.turns) - 1)
    for truth, interval in zip(system.turns, found, strict=False):
        assert lies_in(truth, interval)
        assert interval.high - interval.low <= system.every + system.timeout + EPSILON


@settings(max_examples=400, deadline=None)
@given(seeds)
def test_the_time_down_lies_in_its_interval(random: Random) -> None:
    system = simulate(random)
    last = system.until - system.every - 3 * system.timeout
    begin, end = sorted([random.random() * last, random.random() * last])
    told = downtime(system.samples, (begin, end))
    assert lies_in(system.down_for(begin, end), told)
    assert told.high <= end - begin


@settings(max_examples=1000, deadline=None)
@given(seeds)
def test_the_true_recovery_lies_in_its_interval(random: Random) -> None:
    """An oracle that knows the system's turns, and none of the arithmetic, checks what is told."""
    injected = random.random() * 5
    system = simulate(random, first=injected)
    lifted = injected + random.random() * (system.until - injected)
    confirm = random.randrange(1, 5)
    told = recovery(system.samples, injected=injected, lifted=lifted, confirm=confirm)
    every, timeout, turns = system.every, system.timeout, system.turns
    ups = [t - injected for t in turns[1::2]]
    before = [t for t in ups if t <= lifted - injected]
    # A turn for the worse so near the lifting is seen only by attempts that both may have met.
    near = any(lifted - every - timeout < t < lifted + timeout for t in turns[::2])
    confirmed = lifted - injected - max(before, default=0.0) > (confirm + 1) * every + 2 * timeout
    if told.kind == "no_data":
        assert lifted - injected <= every
        return
    assert told.rto is not None
    if told.kind == "unaffected":
        assert lies_in(0.0, told.rto)
        assert not any(down < lifted - every - timeout for down in turns[::2])
    elif told.kind == "during":
        assert lies_in(before[-1], told.rto)
        assert system.up(lifted) or near
        assert told.rto.high - told.rto.low <= every + timeout + EPSILON
    elif told.kind == "after":
        assert lies_in(ups[-1], told.rto)
        assert not (confirmed and system.up(lifted)) or near
        assert near or told.rto.high - told.rto.low <= every + timeout + EPSILON
    else:
        assert told.rto.low <= ([*ups, math.inf][-1] if system.up(system.until) else math.inf)
        assert told.rto.high == math.inf
        assert (
            not system.up(system.until)
            or not ups
            or ups[-1] + injected > (system.until - (confirm + 2) * every - 3 * timeout)
        )


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_the_true_healing_lies_in_its_interval(random: Random) -> None:
    system = simulate(random)
    lifted = random.random() * system.until
    told = heals(system.samples, lifted=lifted, confirm=random.randrange(1, 4))
    if told is None:
        assert not any(s.start >= lifted for s in system.samples)
        return
    ups = [t for t in system.turns[1::2] if t > lifted]
    seen = [t for t in system.turns[::2] if t < system.until - system.every - 2 * system.timeout]
    back = (
        math.inf
        if seen and system.turns[-1] == seen[-1]
        else max([0.0, *(t - lifted for t in ups)])
    )
    assert told.low <= back + EPSILON
    assert told.high >= back - EPSILON


# --- recovery -----------------------------------------------------------------------------


def told(
    samples: list[Sample], injected: float = 2, lifted: float | None = 12, confirm: int = 3
) -> tuple[str, Interval | None]:
    found = recovery(samples, injected=injected, lifted=lifted, confirm=confirm)
    return found.kind, found.rto


ZERO = Interval(0, 0)
RECOVERIES: dict[str, tuple[str, str, Interval | None]] = {
    # injected at 2 ↓         ↓ lifted at 12
    "unaffected": ("++++++++++++++++", "unaffected", ZERO),
    "failover": ("+++----+++++++++", "during", Interval(4, 5.25)),
    "at once": ("++--++++++++++++", "during", Interval(1, 2.25)),
    "a relapse": ("+++--+++--++++++", "during", Interval(7, 8.25)),
    "the third good one is just in time": ("+++------+++++++", "during", Interval(6, 7.25)),
    "two good ones are not enough": ("+++-------++++++", "after", Interval(7, 8.25)),
    "a relapse before it was confirmed": ("+++---++-+-++++++", "after", Interval(8, 9.25)),
    "only after the lifting": ("+++---------++++", "after", Interval(9, 10.25)),
    "long after the lifting": ("+++-----------++++", "after", Interval(11, 12.25)),
    "never": ("+++-------------", "never", Interval(13, math.inf)),
    "back too late to be confirmed": ("+++-----------++", "never", Interval(11, math.inf)),
    "down after the lifting only": ("++++++++++++--++", "unaffected", ZERO),
    "down again after the lifting": ("+++---++++++--++++", "during", Interval(3, 4.25)),
    "down before the injection only": ("+-++++++++++++++", "unaffected", ZERO),
    "crashes are left out": ("+++--??+++++++++", "during", Interval(2, 5.25)),
    "a crash does not confirm": ("+++-------+?++++", "after", Interval(7, 8.25)),
    "nothing seen while it was on": ("++          ++++", "no_data", None),
    "nothing but crashes": ("++??????????++++", "no_data", None),
    "nothing at all": ("", "no_data", None),
}


@pytest.mark.parametrize(("signs", "kind", "rto"), RECOVERIES.values(), ids=RECOVERIES)
def test_recoveries(signs: str, kind: str, rto: Interval | None) -> None:
    assert told(row(signs)) == (kind, rto)


def test_crashed_attempts_are_counted() -> None:
    found = recovery(row("?++-?+++??"), injected=2, lifted=None, confirm=3)
    assert found == Recovery(kind="during", rto=Interval(1, 3.25), crashed=3)


def test_without_a_lifting_the_window_is_the_whole_observation() -> None:
    assert told(row("+++--+++"), lifted=None) == ("during", Interval(2, 3.25))
    assert told(row("+++--++"), lifted=None) == ("never", Interval(2, math.inf))
    assert told(row("+++--+++-"), lifted=None) == ("never", Interval(6, math.inf))


def test_the_first_good_attempt_counts_for_its_own_confirmation() -> None:
    assert told(row("+++--+"), lifted=None, confirm=1) == ("during", Interval(2, 3.25))


def test_an_attempt_that_hangs_across_the_injection_belongs_to_the_fault() -> None:
    samples = [*row("++"), attempt(1.9, 4, DOWN), *row("    ++++++++++")]
    assert told(samples) == ("during", Interval(0, 2.25))


def test_a_good_attempt_under_way_at_the_lifting_does_not_confirm() -> None:
    samples = row("+++---++ ++++")
    assert told([*samples, attempt(8, 11.9, UP)], confirm=6) == ("during", Interval(3, 4.25))
    assert told([*samples, attempt(8, 12.1, UP)], confirm=6) == ("after", Interval(3, 4.25))


def test_a_failure_under_way_at_the_lifting_leaves_open_which_recovery_was_the_last() -> None:
    """It may have met the system before the lifting (then that is no failover) or after it."""
    hung = [attempt(11, 13, DOWN)]
    assert told([*row("+++---+++++ ++++++"), *hung]) == ("after", Interval(3, 11.25))
    assert told([*row("+++++++++++ ++++++"), *hung]) == ("after", Interval(0, 11.25))
    assert told([*row("+++++++++++ +"), *hung]) == ("never", Interval(0, math.inf))


def test_a_failure_that_ends_before_the_lifting_is_a_relapse() -> None:
    samples = [*row("+++---+++++ ++++++"), attempt(11, 11.9, DOWN)]
    assert told(samples) == ("after", Interval(9, 10.25))


# --- healing, availability, gaps ----------------------------------------------------------

HEALINGS: dict[str, tuple[str, Interval | None]] = {
    # lifted at 4  ↓
    "never was bad": ("++++++++", ZERO),
    "bad before only": ("++--++++", ZERO),
    "bad until the lifting": ("+---++++", ZERO),
    "heals": ("+-----++++", Interval(1, 2.25)),
    "a relapse": ("+-----++-++++", Interval(4, 5.25)),
    "not confirmed": ("+-----++", Interval(1, math.inf)),
    "never": ("+-------", Interval(3, math.inf)),
    "good, but not confirmed": ("++++++", Interval(0, math.inf)),
    "nothing seen": ("++++", None),
    "only crashes": ("++++????", None),
}


@pytest.mark.parametrize(("signs", "expected"), HEALINGS.values(), ids=HEALINGS)
def test_healings(signs: str, expected: Interval | None) -> None:
    assert heals(row(signs), lifted=4, confirm=3) == expected


def test_good_attempts_prove_healing_though_one_still_hangs_across_the_lifting() -> None:
    samples = [*row("--"), attempt(2, 5, DOWN), *row("   +++++")]
    assert heals(samples, lifted=4, confirm=3) == ZERO


def test_a_good_attempt_before_the_lifting_does_not_confirm_healing() -> None:
    samples = [attempt(0, 0.25, DOWN), attempt(1, 4.5, DOWN), *row("  +++"), attempt(5, 5.25, UP)]
    assert heals(samples, lifted=4, confirm=3) == Interval(0, math.inf)
    assert heals(samples, lifted=4, confirm=2) == ZERO


def test_time_down_is_counted_within_the_window() -> None:
    samples = row("+--+++--")
    assert downtime(samples, (0, 8)) == Interval(0.75 + 1.75, 3.25 + 3)
    assert downtime(samples, (1.5, 1.75)) == Interval(0.25, 0.25)
    assert downtime(samples, (4, 5)) == ZERO
    assert downtime(row("-+-+-+"), (0, 6)).high == 6
    assert downtime([], (0, 8)) == ZERO


def test_availability_is_the_fraction_of_attempts_begun_in_the_window() -> None:
    samples = row("-++-?-+-")
    assert availability(samples, (1, 7)) == 3 / 5
    assert availability(samples, (4, 5)) is None
    assert availability([], (0, 1)) is None


def test_the_longest_gap_counts_the_edges_of_the_window() -> None:
    samples = row(" ++  +?+")
    assert longest_gap(samples, (0, 8)) == 3
    assert longest_gap(samples, (2, 4)) == 2
    assert longest_gap(samples, (5, 12)) == 5
    assert longest_gap([], (2, 9)) == 7


def test_an_interval_counted_from_a_later_moment_does_not_go_below_zero() -> None:
    assert Interval(3, 5).since(2) == Interval(1, 3)
    assert Interval(3, 5).since(4) == Interval(0, 1)
    assert Interval(3, 5).since(6) == ZERO
