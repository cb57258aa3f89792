"""The same scripted outages, at the same moments, seen by this tool and by its peers.

Chaos Toolkit and Prometheus with the blackbox exporter are set up as their own guides say
(`peers/`). What each has seen is read in the same way; its verdict is its own.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from statistics import median

from ground_truth.measuring import first, sampled, servers
from ground_truth.scripts import WHOLE, Script
from peers import chaos_toolkit, prometheus
from peers.looks import Look, Reading, Said, Seen, longest, read, share_slower

from chaos.loops import run_at
from chaos.verdict.finding import compared
from probes import KINDS
from probes.net import Net
from probes.outages import Interval, recovery
from probes.probe import Sample

RTO_S = 15
GRIDS_MS = (250, 1000)
CONFIRM = 3
TIMEOUT_S = 2  # of each of the tools
ROUNDING = 1e-3  # of what Prometheus stores
# It stops at the first failure, and cannot see the end of it: its verdict is what it is for.
FAIL_FAST = "Chaos Toolkit, --fail-fast"
VERDICTS: tuple[Said, ...] = ("held", "broken", "unknown")
STEADY_S, SHORTEST_S, LONGEST_S, AFTERWARDS_S = 60, 1, 30, 45
UNTIL_S = STEADY_S + max(prometheus.INTERVALS_S) + LONGEST_S + AFTERWARDS_S
HANGS_MS = 5000  # a slow answer of an outage: longer than any tool waits
# A system that stays up, and is slow for two seconds in twenty.
SLOW_MS, SLOW_EVERY_MS, SLOW_FOR_MS = 400, 20_000, 2000
SPIKES = Script(
    how="slow",
    downs=tuple(
        (begin, begin + SLOW_FOR_MS)
        for begin in range(STEADY_S * 1000, (UNTIL_S - 30) * 1000, SLOW_EVERY_MS)
    ),
    slow_ms=SLOW_MS,
)
SPIKED_S = (STEADY_S, STEADY_S + len(SPIKES.downs) * SLOW_EVERY_MS / 1000)


ROWS = (
    "outages of which it saw nothing",
    "outages whose truth is not in what it saw",
    "error of the time to recover, median",
    "error of the time to recover, most",
    "from the last bad look to the first good one, median",
    f"verdict right, of an RTO of {RTO_S} s",
    "said `held`, and it was broken",
    "said `broken`, and it had held",
    "said `unknown`",
    f"slowest answer seen; really {SLOW_MS} ms",
    f"share of slow answers; really {100 * SLOW_FOR_MS / SLOW_EVERY_MS:.0f} %",
)


@dataclass(slots=True)
class Tool:
    """What one tool made of the outages; errors are of the time to recover, in seconds."""

    readings: list[tuple[Reading, float]] = field(default_factory=list)  # and the truth
    said: list[tuple[Said, Said]] = field(default_factory=list)  # and the truth
    slowest: float = 0.0
    share_slow: float = 0.0
    goes_on: bool = True  # it looks again once it has seen a failure

    @property
    def outside(self) -> int:
        """How often the truth is not in what was seen."""
        return sum(not r.low - ROUNDING <= truth <= r.high + ROUNDING for r, truth in self.readings)

    @property
    def false(self) -> int:
        """How often it said one thing, and the other was true."""
        return sum(said not in (truth, "unknown") for said, truth in self.said)

    def column(self) -> tuple[str, ...]:
        """Its figures, in the order of ROWS."""
        counted = Counter(said if said != truth else "right" for said, truth in self.said)
        verdicts = f"{counted['right']} of {len(self.said)}", *(str(counted[v]) for v in VERDICTS)
        unseen = str(sum(not r.high for r, _ in self.readings))
        if not self.goes_on:
            return (unseen, *["–"] * 4, *verdicts, *["–"] * 2)
        errors = [abs(r.high - truth) for r, truth in self.readings]
        widths = [r.high - r.low for r, _ in self.readings if r.high]
        return (
            *(unseen, str(self.outside)),
            *(f"{median(errors):.2f} s", f"{max(errors):.2f} s", f"{median(widths):.2f} s"),
            *verdicts,
            *(f"{1000 * self.slowest:.0f} ms", f"{100 * self.share_slow:.0f} %"),
        )


@dataclass(slots=True)
class Tally:
    """What came of it."""

    tools: dict[str, Tool] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def shown(self) -> list[tuple[str, ...]]:
        """A row of names, and then one for each figure."""
        columns = [tool.column() for tool in self.tools.values()]
        return [("", *self.tools), *zip(ROWS, *columns, strict=True)]


def campaign(count: int, seed: int) -> Tally:
    """So many outages, all side by side, in some three minutes."""
    chance = random.Random(seed)
    with first(), tempfile.TemporaryDirectory() as directory:
        return run_at(1, _compared(_scripts(count, chance), Path(directory)))


def _scripts(count: int, chance: random.Random) -> list[Script]:
    return [
        Script(how=WHOLE[n % len(WHOLE)], downs=(_down(chance),), slow_ms=HANGS_MS)
        for n in range(count)
    ]


def _down(chance: random.Random) -> tuple[int, int]:
    begin = 1000 * STEADY_S + chance.randrange(1000 * max(prometheus.INTERVALS_S))
    return begin, begin + chance.randint(1000 * SHORTEST_S, 1000 * LONGEST_S)


async def _compared(scripts: Sequence[Script], directory: Path) -> Tally:
    command = await asyncio.to_thread(chaos_toolkit.installed, directory / "venv")
    async with servers([*scripts, SPIKES]) as standing:
        urls = [f"http://{where['host']}:{where['port']}/" for where in standing.where]
        async with prometheus.watching(directory, urls, RTO_S) as port:
            zero = standing.begin(0.1)
            wall = zero + time.time() - time.monotonic()
            ours, theirs = await asyncio.gather(
                _ours(urls, zero), _chaos_toolkit(urls, wall, command, directory)
            )
            stored = await asyncio.to_thread(_prometheus, urls, wall, port)
        records = await standing.over()
    truth = [
        Interval(record["turns"][0][0] - zero, record["turns"][1][1] - zero)
        for record in records[: len(scripts)]
    ]
    seen = {name: _judged(samples, truth) for name, samples in ours.items()} | theirs | stored
    tally = Tally(tools={name: _tool(systems, truth) for name, systems in seen.items()})
    tally.tools[FAIL_FAST].goes_on = False
    for name in ours:
        if count := tally.tools[name].outside + tally.tools[name].false:
            tally.wrong.append(f"{name}: {count} untrue")
    return tally


async def _ours(urls: Sequence[str], zero: float) -> dict[str, list[list[Sample]]]:
    found = await asyncio.gather(*(_grid(urls, grid, zero) for grid in GRIDS_MS))
    return {f"this tool, {grid} ms": one for grid, one in zip(GRIDS_MS, found, strict=True)}


async def _grid(urls: Sequence[str], grid: int, zero: float) -> list[list[Sample]]:
    settings = {"kind": "http", "every": f"{grid}ms", "timeout": f"{TIMEOUT_S}s"}
    probes = [KINDS["http"].model_validate(settings | {"url": url}) for url in urls]
    return await asyncio.gather(
        *(sampled(probe, Net(), origin=zero, until=zero + UNTIL_S) for probe in probes)
    )


def _judged(systems: Sequence[Sequence[Sample]], truth: Sequence[Interval]) -> list[Seen]:
    """Our looks, and the verdict on each outage."""
    looks = [tuple(Look(s.start, s.end, s.ok) for s in samples) for samples in systems]
    said: list[Said] = []
    for samples, outage in zip(systems, truth, strict=False):
        told = recovery(samples, injected=outage.low, lifted=None, confirm=CONFIRM)
        known = told.kind in ("during", "unaffected") and told.rto is not None
        said.append(compared(told.rto, RTO_S) if known and told.rto else "unknown")
    return [Seen(looks=one, said=v) for one, v in zip_longest(looks, said)]


async def _chaos_toolkit(
    urls: Sequence[str], wall: float, command: Path, directory: Path
) -> dict[str, list[Seen]]:
    found = await asyncio.gather(
        *(
            chaos_toolkit.watched(command, directory / f"{n}-{fast}", url, UNTIL_S, fail_fast=fast)
            for fast in (False, True)
            for n, url in enumerate(urls)
        )
    )
    seen = [chaos_toolkit.seen(*journal, wall) for journal in found]
    ends, fails = seen[: len(urls)], seen[len(urls) :]
    return {"Chaos Toolkit": ends, FAIL_FAST: fails}


def _prometheus(urls: Sequence[str], wall: float, port: int) -> dict[str, list[Seen]]:
    return {
        f"Prometheus, {interval} s": [prometheus.seen(port, url, interval, wall) for url in urls]
        for interval in prometheus.INTERVALS_S
    }


def _tool(systems: Sequence[Seen], truth: Sequence[Interval]) -> Tool:
    *outages, spikes = systems
    tool = Tool(slowest=longest(spikes.looks, SPIKED_S))
    tool.share_slow = share_slower(spikes.looks, SLOW_MS / 1000, SPIKED_S)
    for seen, outage in zip(outages, truth, strict=True):
        lasted = outage.high - outage.low
        tool.readings.append((read(seen.looks, outage.low), lasted))
        if seen.said:
            tool.said.append((seen.said, "held" if lasted <= RTO_S else "broken"))
    return tool
