"""The wall's clock may be set at any moment: nothing that is measured asks it."""

from __future__ import annotations

import asyncio
import time

import pytest

from chaos.loops import run_at
from probes.net import Net
from probes.outages import Interval, outages
from probes.probe import Attempt, Probe, ProbeFailed, Sample
from probes.schedule import run_probe


class Down(Probe):
    """Bad at its third and fourth attempt; the wall's clock jumps all the while."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Fail when it is time."""
        if attempt.n in (2, 3):
            raise ProbeFailed("down")


def test_a_jump_of_the_wall_s_clock_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = iter(range(10**9, 0, -86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    monkeypatch.setattr(time, "time_ns", lambda: next(jumps) * 10**9)
    samples: list[Sample] = []

    async def main() -> None:
        loop, enough = asyncio.get_running_loop(), asyncio.Event()

        def emit(sample: Sample) -> None:
            samples.append(sample)
            if len(samples) == 6:
                enough.set()

        probe = Down(kind="down", every=1.0)
        schedule = loop.create_task(
            run_probe("p", probe, Net(), run="r", origin=loop.time(), emit=emit)
        )
        await enough.wait()
        schedule.cancel()
        await asyncio.gather(schedule, return_exceptions=True)

    run_at(50, main())  # a real clock, and a quick one
    assert [s.due for s in samples[:6]] == [0, 1, 2, 3, 4, 5]
    assert all(s.due <= s.start <= s.end for s in samples)
    (outage,) = outages(samples)
    assert outage.ended == Interval(samples[3].start, samples[4].end)
