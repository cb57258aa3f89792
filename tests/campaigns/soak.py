"""2,000 attempts a second over 200 probes, on one core, for as many seconds as asked.

How late they are made, and whether memory grows: what it is after the first tenth, and at the end.
"""

from __future__ import annotations

import asyncio
import os
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.answering import answering
from benchmarks.bench_schedule import on_the_grid, one_core
from benchmarks.figures import percentile

from chaos.loops import run_at

RATE, PROBES = 2000, 200
LATE_MS = 20.0
GROWTH = 0.05  # of what it was; what the figures themselves take is left out
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(slots=True)
class Tally:
    """What came of it."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def shown(self) -> list[tuple[str, str]]:
        return self.rows

    def told(self, what: str, value: str, *, right: bool) -> None:
        self.rows.append((what, value))
        if not right:
            self.wrong.append(f"{what}: {value}")


def campaign(count: int, seed: int) -> Tally:
    """`count` seconds of it; there is no chance in it."""
    with one_core() as others, answering(others) as port:
        late, before, after = run_at(1, _soaked(port, count))
    tally = Tally()
    p99, wanted = percentile(late, 0.99), RATE * count
    tally.told("good attempts", f"{len(late):,} of {wanted:,}", right=len(late) >= 0.99 * wanted)
    tally.told("late, p50", f"{percentile(late, 0.5):.2f} ms", right=True)
    tally.told("late, p99", f"{p99:.2f} ms, below {LATE_MS:g} ms", right=p99 < LATE_MS)
    memory = f"{before:.0f} MB after a tenth of the time, {after:.0f} MB at the end"
    tally.told("memory", memory, right=after < before * (1 + GROWTH))
    return tally


async def _soaked(port: int, seconds: int) -> tuple[array[float], float, float]:
    """The lateness, and the memory after the first tenth and at the end, in MB."""
    running = asyncio.create_task(on_the_grid(port, RATE, PROBES, seconds))
    await asyncio.sleep(seconds / 10)
    before = _memory()
    await asyncio.sleep(seconds * 0.88)
    after = _memory() - RATE * seconds * 0.88 * array("f").itemsize / 1e6
    return await running, before, after


def _memory() -> float:
    """What this process has in memory, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB
