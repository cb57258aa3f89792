"""When a lab answered late, because the machine had not enough to give to it.

What its apps and probes saw then is the machine's doing: in a lab that runs eight times faster than
the wall, an eighth of a second is one second late.
"""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from chaos.errors import ChaosError
from chaos.loops import speed_of
from probes.outages import Interval
from probes.probe import Sample

ASK_EVERY_S = 0.2  # seconds of the wall
# Seconds of the lab: what waits longer than this for itself may fail by it.
LATE_S = 0.5


async def note_lags(
    pulse: Callable[[], Awaitable[None]], now: Callable[[], float], note: Callable[..., None]
) -> None:
    """`note` each answer that came late, for ever: cancel it to end it.

    `pulse` is the environment's, `now` the time of the journal, in seconds.
    """
    loop = asyncio.get_running_loop()
    while True:
        began = now()
        try:
            with contextlib.suppress(ChaosError):  # one that has ended is told otherwise
                await pulse()
        finally:
            if (until := now()) - began > LATE_S:
                note("lag", since=began, until=until)
        await asyncio.sleep(ASK_EVERY_S * speed_of(loop))


def doubted(samples: Sequence[Sample], lags: Sequence[Interval]) -> tuple[Sample, ...]:
    """The samples; a bad one that may be owed to the lab says nothing, as a crashed one.

    `lags` are one after the other.
    """
    ends = [lag.high for lag in lags]

    def owed(s: Sample) -> bool:
        at = bisect_right(ends, s.start)  # the first that ended later
        return not s.ok and not s.crashed and at < len(ends) and lags[at].low < s.end

    return tuple(replace(s, crashed=True) if owed(s) else s for s in samples)
