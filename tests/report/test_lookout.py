"""What a live view says of a detection agrees with what the verdict is computed from."""

from __future__ import annotations

import math
import random

import pytest

from chaos.report.lookout import NOTHING_SEEN, Lookout
from probes.detection import detection
from probes.probe import Sample

INJECTED = 10.0


def attempts(seed: int) -> list[Sample]:
    """An alarm that rings now and then; some attempts hang, and some get no answer."""
    chance = random.Random(seed)
    turn, rings, samples = 8.0 + chance.random() * 12, False, []
    for n in range(60):
        start = n * 0.5 + chance.random() * 0.01
        if start > turn:
            turn, rings = start + 2 + chance.random() * 8, not rings
        end = start + chance.choice([0.02, 0.1, 2.0]) * (0.5 + chance.random())
        detail = {"detected": rings} if chance.random() < 0.8 else {}
        samples.append(
            Sample(probe="p", n=n, due=start, start=start, end=end, ok=not rings, detail=detail)
        )
    return sorted(samples, key=lambda sample: sample.end)


def lookout_of(samples: list[Sample]) -> Lookout:
    lookout = NOTHING_SEEN
    for s in samples:
        if "detected" in s.detail:
            injected = INJECTED if s.end >= INJECTED else None
            lookout = lookout.then(s.start, s.end, seen=s.detail["detected"], injected=injected)
    return lookout


@pytest.mark.parametrize("seed", range(200))
def test_it_is_detected_when_the_verdict_would_say_so(seed: int) -> None:
    samples = attempts(seed)
    found, live = detection(samples, injected=INJECTED, until=math.inf), lookout_of(samples)
    assert (live.told is not None) == (found.kind == "seen")
    assert bool(live.early) == (found.kind == "already")
    if live.told is not None and found.after is not None:
        after = live.told.since(INJECTED)
        assert after.high == found.after.high
        assert after.low >= found.after.low
