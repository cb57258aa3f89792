"""How many attempts a second one core holds on the grid, and how late they are made.

An attempt is a whole one: `http` on a connection of its own, watched, and written to a journal.
Beside it a loop that waits for each attempt and then sleeps, as most tools do.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.answering import answering
from benchmarks.figures import Figure, percentile

from chaos.experiment import Experiment
from chaos.journal import Journal
from chaos.loops import Stopwatch, run_at
from chaos.probing import Probing
from chaos.record import Record, Stop
from chaos.testing import FakeEnvironment, small_lab
from probes.http import Http
from probes.net import Net
from probes.probe import Attempt, Probe

PROBES = 10
SECONDS = 10.0
AIM = 1000
RATES = (AIM, 1500, 2000, 2500, 3000, 3500, 4000, 5000, 6000, 8000)
LATE_MS = 20.0


def measure() -> list[Figure]:
    """Lateness at the aim, what a sleeping loop makes of it, and the highest rate that holds."""
    with one_core() as others, answering(others) as port:
        late = run_at(1, on_the_grid(port, AIM))
        naive = run_at(1, _sleeping(port, AIM))
        held = 0
        for rate in RATES:
            made = late if rate == AIM else run_at(1, on_the_grid(port, rate))
            if len(made) < 0.99 * rate * SECONDS or percentile(made, 0.99) >= LATE_MS:
                break
            held = rate
    beside = f"a loop that sleeps between attempts: {percentile(naive, 0.99):,.0f} ms"
    slower = f"the loop that sleeps, told to make {AIM:,}: {len(naive) / SECONDS:,.0f}"
    return [
        Figure(
            name=f"p99 lateness of {AIM:,} attempts a second",
            value=percentile(late, 0.99),
            unit="ms",
            below=LATE_MS,
            compared_with=beside,
        ),
        Figure(
            name=f"attempts a second on one core, 99% less than {LATE_MS:.0f} ms late",
            value=held,
            unit="/s",
            at_least=AIM,
            compared_with=slower,
        ),
    ]


@contextmanager
def one_core() -> Iterator[set[int]]:
    """Keep this process to one core; gives the others, or the same where there is only one."""
    cores = os.sched_getaffinity(0)
    one = min(cores)
    os.sched_setaffinity(0, {one})
    try:
        yield cores - {one} or cores
    finally:
        os.sched_setaffinity(0, cores)


class _Loopback(FakeEnvironment):
    def net(self, _probe: Probe) -> Net:
        return Net()


def _probe(port: int, rate: float, probes: int = PROBES) -> Http:
    url = f"http://127.0.0.1:{port}/"
    return Http(kind="http", url=url, every=probes / rate, timeout=0.1)


async def on_the_grid(
    port: int, rate: float, probes: int = PROBES, seconds: float = SECONDS
) -> array[float]:
    """How late each good attempt was made, in milliseconds; `rate` is that of all probes."""
    watched = {f"p{n}": _probe(port, rate, probes) for n in range(probes)}
    experiment = Experiment.model_validate(
        {
            "name": "schedule",
            "probes": watched,
            "faults": [{"kind": "region_outage", "region": "us-east-1", "lasts": 60}],
            "objectives": {"p0": {"unaffected": True}},
        }
    )
    late = array("f")

    def saw(event: dict[str, Any]) -> None:
        if event["event"] == "sample" and event["ok"]:
            late.append((event["start"] - event["due"]) * 1000)

    with tempfile.TemporaryDirectory() as directory:
        now = Stopwatch()
        journal = Journal.create(Path(directory) / "run" / "journal.jsonl", now)
        journal.watchers.append(saw)
        stop = Stop()
        lab = _Loopback(small_lab())
        probing = Probing("r", experiment, lab, Record(journal, stop), stop, now)
        async with probing.ticking():
            await asyncio.sleep(seconds)
        journal.close()
    return late


async def _sleeping(port: int, rate: float) -> list[float]:
    """The same, against the same grid, by loops that wait for each attempt."""
    loop, probe, net = asyncio.get_running_loop(), _probe(port, rate), Net()
    late: list[float] = []

    async def one(origin: float) -> None:
        n = 0
        while True:
            late.append((loop.time() - origin - n * probe.every) * 1000)
            await probe.check(net, Attempt(run="r", probe="p", n=n))
            await asyncio.sleep(probe.every)
            n += 1

    tasks = [asyncio.create_task(one(loop.time())) for _ in range(PROBES)]
    await asyncio.wait(tasks, timeout=SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return late
