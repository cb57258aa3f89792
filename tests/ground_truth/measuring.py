"""Scenarios side by side: real sockets, the real probes and their schedule, at speed 1."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ground_truth.scripts import CONFIRM, CONTROL, Scenario, Script
from ground_truth.truth import Answer, Judged, Truth, judge

from chaos.loops import run_at
from probes import KINDS
from probes.names import Names
from probes.net import Net
from probes.outages import Interval
from probes.probe import Probe, Sample
from probes.schedule import run_probe

BEGINS_IN_S = 0.3
READY_WITHIN_S = 60.0
ROOT = Path(__file__).parents[2]


def measured(scenarios: Sequence[Scenario]) -> list[Judged]:
    """All of them at the same time, each with a server of its own, and what came of each."""
    with first():
        return run_at(1, _measured(scenarios))


@contextmanager
def first() -> Iterator[None]:
    """This process and its children come before others, where they may: what waits is late."""
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)


async def _measured(scenarios: Sequence[Scenario]) -> list[Judged]:
    async with servers([*(s.script for s in scenarios), CONTROL]) as standing:
        zero = standing.begin(BEGINS_IN_S)
        *where, control = standing.where
        until = zero + max(s.until_ms for s in scenarios) / 1000
        *found, controls = await asyncio.gather(
            *map(_probed, scenarios, where, [zero] * len(scenarios)),
            sampled(_control(control), Net(), origin=zero, until=until),
        )
        records = await standing.over()
    return [
        judge(scenario, samples, _truth(scenario, record, zero), _latest(controls, scenario))
        for scenario, samples, record in zip(scenarios, found, records, strict=False)
    ]


def _control(where: dict[str, Any]) -> Probe:
    url = f"http://{where['host']}:{where['port']}/"
    settings = {"kind": "http", "url": url, "every": "50ms", "timeout": "10s"}
    return KINDS["http"].model_validate(settings)


def _latest(controls: Sequence[Sample], scenario: Scenario) -> float:
    """How late an answer was, while the scenario went on, for reasons of the machine alone."""
    meanwhile = [s for s in controls if s.due <= scenario.until_ms / 1000]
    return max(s.end - s.due for s in meanwhile)


@dataclass(frozen=True, slots=True)
class Standing:
    """Servers in a process of their own, and where each is asked."""

    process: asyncio.subprocess.Process
    where: list[dict[str, Any]]

    def begin(self, within: float) -> float:
        """Follow the scripts from then on: the moment that is their zero, on the loop's clock."""
        assert self.process.stdin is not None
        zero = time.monotonic() + within
        self.process.stdin.write(json.dumps(zero).encode() + b"\n")
        return zero

    async def over(self) -> Any:
        """What really happened; the servers end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        async with asyncio.timeout(READY_WITHIN_S):
            told = json.loads(await self.process.stdout.read())
            assert await self.process.wait() == 0
        return told


@asynccontextmanager
async def servers(scripts: Sequence[Script]) -> AsyncIterator[Standing]:
    """One for each script, on an address of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "ground_truth.server"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        limit=2**26,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            process.stdin.write(json.dumps([asdict(script) for script in scripts]).encode() + b"\n")
            where = json.loads(await process.stdout.readline())
        yield Standing(process, where)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def probe_of(scenario: Scenario, where: dict[str, Any]) -> Probe:
    """The probe as an experiment would have it."""
    host, port = where["host"], where["port"]
    settings: dict[str, Any] = {"http": {"url": f"http://{host}:{port}/"}}
    settings["tcp"] = {"host": host, "port": port, "send": "PING", "expect": {"text": "+PONG"}}
    return KINDS[scenario.probe].model_validate(
        settings[scenario.probe]
        | {
            "kind": scenario.probe,
            "every": f"{scenario.every_ms}ms",
            "timeout": f"{scenario.timeout_ms}ms",
            "max_latency": f"{scenario.limit_ms}ms",
            "confirm": CONFIRM,
            "dns_cache": "none",
        }
    )


async def _probed(scenario: Scenario, where: dict[str, Any], zero: float) -> list[Sample]:
    net = Net(names=Names(tuple(where["dns"]) if where["dns"] else None, cache="none"))
    origin = zero + scenario.offset_ms / 1000
    return await sampled(
        probe_of(scenario, where), net, origin=origin, until=zero + scenario.until_ms / 1000
    )


async def sampled(probe: Probe, net: Net, *, origin: float, until: float) -> list[Sample]:
    """What the schedule has of a probe, from one moment of the loop's clock to another."""
    samples: list[Sample] = []
    loop = asyncio.get_running_loop()
    schedule = loop.create_task(
        run_probe("p", probe, net, run="truth", origin=origin, emit=samples.append)
    )
    await asyncio.sleep(until - loop.time())
    schedule.cancel()
    await asyncio.gather(schedule, return_exceptions=True)
    return samples


def _truth(scenario: Scenario, record: dict[str, Any], zero: float) -> Truth:
    origin = zero + scenario.offset_ms / 1000
    turns = [Interval(a - origin, b - origin) for a, b in record["turns"]]
    answers = [Answer(Interval(a - origin, b - origin), ok) for a, b, ok in record["answers"]]
    return Truth(turns=tuple(turns), answers=tuple(answers))
