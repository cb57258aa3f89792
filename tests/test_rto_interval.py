"""Scripted outages, measured by the real schedule on virtual time: is the truth in the interval?"""

from __future__ import annotations

import asyncio
import math
from random import Random
from typing import Literal

import pytest

from chaos.loops import run_virtual
from probes.net import Net
from probes.outages import Recovery, recovery
from probes.probe import Attempt, Probe, ProbeFailed, Sample
from probes.schedule import run_probe

RUNS = 100
EPSILON = 1e-6  # samples are rounded to the microsecond

How = Literal["refuses", "hangs", "answers when it is back", "any of these"]
HOWS: list[How] = ["refuses", "hangs", "answers when it is back", "any of these"]


class Scripted(Probe):
    """A probe of a system that is down from `down` to `back` (loop seconds), and how."""

    down: float
    back: float
    how: How
    slowest: float  # seconds that a good answer takes at most
    seed: int

    async def check(self, net: Net, attempt: Attempt) -> None:
        random = Random(f"{self.seed} {attempt.n}")
        now = asyncio.get_running_loop().time
        how = self.how if self.how != "any of these" else random.choice(HOWS[:3])
        # It looks at the state somewhere between the request and the answer.
        took = random.random() * self.slowest
        looks = random.random() * took
        await asyncio.sleep(looks)
        if self.down <= now() < self.back:
            if how == "refuses":
                raise ProbeFailed("refused")
            await asyncio.sleep(math.inf if how == "hangs" else self.back - now())
        await asyncio.sleep(took - looks)


async def measured(probe: Scripted, injected: float, until: float) -> Recovery:
    """The recovery as the samples of the schedule tell it; times count from a crooked origin."""
    samples: list[Sample] = []
    origin = asyncio.get_running_loop().time() + 0.123
    schedule = asyncio.create_task(
        run_probe("p", probe, Net(), run="r", origin=origin, emit=samples.append)
    )
    await asyncio.sleep(origin + until)
    schedule.cancel()
    await asyncio.gather(schedule, return_exceptions=True)
    lifted = until - 2 * probe.timeout
    return recovery(
        samples, injected=injected - origin, lifted=lifted - origin, confirm=probe.confirm
    )


def scripted(
    random: Random, how: How, *, shortest: float, longest: float
) -> tuple[Scripted, float]:
    """A probe, and when the fault is injected that takes its system down some time later."""
    every = random.choice([0.25, 0.5, 1.0, 5.0])
    timeout = every * random.choice([0.5, 1.0, 4.0])
    injected = 20 + random.random() * 10
    down = injected + random.random() * 3
    grain = every + 2 * timeout
    lasts = shortest * grain + random.random() * (longest - shortest) * grain
    probe = Scripted(
        kind="scripted",
        every=every,
        timeout=timeout,
        down=down,
        back=down + lasts,
        how=how,
        slowest=0.2 * min(every, timeout),
        seed=random.randrange(2**32),
    )
    return probe, injected


@pytest.mark.parametrize("how", HOWS)
def test_the_truth_lies_in_the_interval_and_it_is_no_wider_than_a_period_and_a_timeout(
    how: How,
) -> None:
    random = Random(how)
    for _ in range(RUNS):
        probe, injected = scripted(random, how, shortest=1, longest=20)
        found = run_virtual(measured(probe, injected, probe.back + 10 * probe.every + 60))
        assert found.kind == "during"
        assert found.rto is not None
        truth = probe.back - injected
        assert found.rto.low - EPSILON <= truth <= found.rto.high + EPSILON
        assert found.rto.high - found.rto.low <= probe.every + probe.timeout + EPSILON


@pytest.mark.parametrize("how", HOWS)
def test_an_outage_shorter_than_a_timeout_is_told_truly_or_not_seen(how: How) -> None:
    """It may be seen by hanging attempts only, which say less: the bound is an answer wider."""
    random = Random(how)
    for _ in range(RUNS):
        probe, injected = scripted(random, how, shortest=0.01, longest=1)
        found = run_virtual(measured(probe, injected, probe.back + 10 * probe.every + 60))
        assert found.rto is not None
        if found.kind == "unaffected":
            rescued = how in ("answers when it is back", "any of these")
            assert rescued or probe.back - probe.down <= probe.every + probe.slowest
            continue
        assert found.kind == "during"
        truth = probe.back - injected
        assert found.rto.low - EPSILON <= truth <= found.rto.high + EPSILON
        widest = probe.every + probe.timeout + probe.slowest
        assert found.rto.high - found.rto.low <= widest + EPSILON
