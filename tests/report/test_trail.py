"""The story that a live view keeps up agrees with the one that the verdict is computed from."""

from __future__ import annotations

import random

import pytest

from chaos.report.trail import Trail
from probes.outages import Interval, outages, recovery
from probes.probe import Sample


def attempts(seed: int) -> list[Sample]:
    """Attempts of a system that turns now and then; some hang, so they end in any order."""
    chance = random.Random(seed)
    turn, up, samples = 0.0, True, []
    for n in range(60):
        start = n * 0.5 + chance.random() * 0.01
        if start > turn:
            turn, up = start + chance.random() * 8, not up
        took = chance.choice([0.02, 0.1, 2.0]) * (0.5 + chance.random())
        samples.append(Sample(probe="p", n=n, due=start, start=start, end=start + took, ok=up))
    return sorted(samples, key=lambda sample: sample.end)


def trail_of(samples: list[Sample], confirm: int = 3) -> Trail:
    trail = Trail(confirm=confirm)
    for sample in samples:
        trail = trail.then(sample.start, sample.end, ok=sample.ok)
    return trail


@pytest.mark.parametrize("seed", range(100))
def test_it_is_down_and_back_when_the_outages_say_so(seed: int) -> None:
    samples = attempts(seed)
    last = outages(samples)[-1]
    trail = trail_of(samples)
    assert trail.down == (last.ended is None)
    if last.ended is not None:
        assert Interval(trail.last_bad, trail.back_at) == last.ended


@pytest.mark.parametrize("seed", range(100))
def test_a_recovery_is_proven_when_the_verdict_would_take_it_for_one(seed: int) -> None:
    samples = attempts(seed)
    found = recovery(samples, injected=0.0, lifted=None, confirm=3)
    back = trail_of(samples).back(0.0)
    assert (back is not None) == (found.kind == "during")
    if back is not None:
        assert back == found.rto


def test_good_attempts_before_the_moment_prove_nothing_about_it() -> None:
    trail = Trail(confirm=2)
    for start in (1.0, 2.0, 3.0):
        trail = trail.then(start, start + 0.1, ok=True)
    assert trail.proven(2.0)
    assert not trail.proven(2.5)
    assert trail_of([], confirm=1).back(0.0) is None
