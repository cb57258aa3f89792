"""Against oracles that know nothing of the arithmetic: is the true moment in its interval?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from attempts import DOWN, attempt
from courses import turns
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from probes.outages import Interval, downtime, heals, outages, recovery
from probes.probe import Sample

EPSILON = 1e-9

spans = st.tuples(st.integers(0, 5), st.integers(1, 5), st.booleans()).map(
    lambda span: attempt(span[0], min(6, span[0] + span[1]), span[2])
)


@settings(max_examples=300)
@given(st.lists(spans, min_size=1, max_size=8))
def test_the_intervals_are_those_of_all_courses_with_the_fewest_turns(
    samples: list[Sample],
) -> None:
    """Against every course of the state there is."""
    told = outages(samples)
    assert [turn for o in told for turn in (o.began, o.ended) if turn is not None] == [
        Interval(*turn) for turn in turns(samples)
    ]
    assert sum(o.count for o in told) == sum(not s.ok for s in samples)
    assert all(o.count for o in told)


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


@settings(max_examples=400)
@given(seeds)
def test_each_turn_of_a_system_lies_in_its_interval(random: Random) -> None:
    system = simulate(random)
    found = [t for o in outages(system.samples) for t in (o.began, o.ended) if t is not None]
    # The last turn may be too near the end of the observation to be seen.
    assert len(found) in (len(system.turns), len(system.turns) - 1)
    for truth, interval in zip(system.turns, found, strict=False):
        assert lies_in(truth, interval)
        assert interval.high - interval.low <= system.every + system.timeout + EPSILON


@settings(max_examples=400)
@given(seeds)
def test_the_time_down_lies_in_its_interval(random: Random) -> None:
    system = simulate(random)
    last = system.until - system.every - 3 * system.timeout
    begin, end = sorted([random.random() * last, random.random() * last])
    told = downtime(system.samples, (begin, end))
    assert lies_in(system.down_for(begin, end), told)
    assert told.high <= end - begin


@settings(max_examples=1000)
@given(seeds)
def test_the_true_recovery_lies_in_its_interval(random: Random) -> None:
    """An oracle that knows the system's turns, and none of the arithmetic, checks what is told."""
    injected = random.random() * 5
    system = simulate(random, first=injected)
    assume(system.samples and system.samples[-1].start > injected)
    lifted = injected + random.random() * (system.samples[-1].start - injected)
    confirm = random.randrange(1, 5)
    told = recovery(system.samples, injected=injected, lifted=lifted, confirm=confirm)
    every, timeout, turns = system.every, system.timeout, system.turns
    ups = [t - injected for t in turns[1::2]]
    before = [t for t in ups if t <= lifted - injected]
    # A turn for the worse so near the lifting is seen only by attempts that both may have met.
    near = any(lifted - every - timeout < t < lifted + timeout for t in turns[::2])
    confirmed = lifted - injected - max(before, default=0.0) > (confirm + 1) * every + 2 * timeout
    if told.kind == "no_data":
        assert not any(injected <= s.start < lifted for s in system.samples)
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


@settings(max_examples=300)
@given(seeds)
def test_the_true_healing_lies_in_its_interval(random: Random) -> None:
    system = simulate(random)
    lifted = random.random() * system.until
    told = heals(system.samples, lifted=lifted, confirm=random.randrange(1, 4))
    if told is None:
        assert not any(s.start >= lifted for s in system.samples)
        return
    ups = [t - lifted for t in system.turns[1::2]]
    downs = system.turns[::2]
    back = math.inf if len(downs) > len(ups) else max([0.0, *ups])
    # What goes down so near the end of the observation may not be seen any more.
    assume(not downs or downs[-1] < system.samples[-1].start - system.every - system.timeout)
    assert told.low <= back + EPSILON
    assert told.high >= back - EPSILON
