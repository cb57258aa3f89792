"""The embedded environment: moto for the control plane, the lab for everything that moves.

The lab is a process of its own (`python -m chaos.lab`). It lives as long as the pipe to its
standard input is open, so it cannot outlive the run, however the run ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import math
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from chaos.environments import traces
from chaos.environments.calls import AwsCalls, prepare
from chaos.environments.control import Control
from chaos.errors import CallFailed, EnvironmentFailed, EnvironmentGone
from chaos.loops import speed_of
from probes.names import Names
from probes.net import Net
from probes.probe import Probe

KEY = ("lab", "lab")
# Bounds in seconds of the wall: a lab starts in a few, and ends in less than one.
READY_WITHIN_S = 90.0
END_WITHIN_S = 15.0


class Embedded:
    """A running lab, seen from the run."""

    kind = "embedded"

    def __init__(self, lab: dict[str, Any], process: Process | None = None) -> None:
        self._lab = lab
        self._process = process
        self._control = Control(Path(lab["control"]))
        self._operator = AwsCalls(lab["operator"], key=KEY, attempts=3, timeout_s=20)
        self._doors: list[AwsCalls] = []

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation of the AWS API, or of the lab as the service `lab`."""
        if service == "lab":
            return await self._control.call(operation, **params)
        if region not in self._lab["regions"]:
            known = ", ".join(self._lab["regions"])
            what = f"there is no region {region!r} in this lab; there is {known}"
            raise CallFailed(f"{service} {operation}", "NoSuchRegion", what)
        try:
            return await self._operator.call(service, region, operation, **params)
        except CallFailed:
            await self._control.call("describe_lab")  # tells a lab that ended from a call refused
            raise

    def net(self, probe: Probe) -> Net:
        """The lab's names, addresses and faulty door to the AWS API, for one probe."""
        door = AwsCalls(
            self._lab["api"],
            key=KEY,
            timeout_s=probe.timeout / speed_of(asyncio.get_running_loop()),
            threads=min(64, math.ceil(probe.timeout / probe.every) + 2),
        )
        self._doors.append(door)
        server, port = self._lab["dns"]
        return Net(
            names=Names((server, port), cache=probe.dns_cache, family=probe.family),
            ports={int(port): real for port, real in self._lab["ports"].items()},
            aws=door.call,
        )

    async def ended(self) -> str:
        """Return when the lab that this run has started has ended."""
        if self._process is None:
            return await asyncio.Future()
        await self._process.wait()
        return f"the lab has ended, with exit code {self._process.returncode}"

    def describe(self) -> dict[str, Any]:
        """Where the lab is: enough for `attach`, and for clearing up after it."""
        lab = {k: self._lab[k] for k in ("control", "directory", "pid")}
        where = {
            "host": socket.gethostname(),
            "boot": traces.boot(),
            "born": traces.born(lab["pid"]),
        }
        return {"kind": self.kind, **where, **lab}

    def close(self) -> None:
        """Give the threads back; the lab is ended by whoever started it."""
        for door in (self._operator, *self._doors):
            door.close()


@contextlib.asynccontextmanager
async def start(lab: dict[str, Any], *, speed: float, log: Path) -> AsyncIterator[Embedded]:
    """Start a lab from its declaration and end it afterwards; what it complains of goes to `log`.

    Raises EnvironmentFailed with the lab's own sentence when it does not come up.
    """
    async with process(log) as lab_process:
        # Meanwhile this process makes ready too: loading boto3 takes a second of the wall.
        described, _ = await asyncio.gather(
            ready(lab_process, lab, speed, log),
            asyncio.to_thread(prepare, KEY, "dynamodb", "ec2"),
        )
        environment = Embedded(described, lab_process)
        try:
            yield environment
        finally:
            environment.close()


async def attach(described: dict[str, Any]) -> Embedded:
    """The lab that a journal names; raises EnvironmentGone when it has ended.

    A lab ends with the run that started it. What one that was killed has left behind is cleared.
    On another machine nothing can be said of it: EnvironmentFailed.
    """
    host, boot = described["host"], described["boot"]
    if host != socket.gethostname():
        raise EnvironmentFailed(
            f"the run's lab is on the machine {host}, and this is {socket.gethostname()}:"
            " roll it back there"
        )
    if boot != traces.boot():
        raise EnvironmentGone("this machine was started anew since, and the lab ended with that")
    control = Control(Path(described["control"]))
    try:
        return Embedded(await control.call("describe_lab"))
    except EnvironmentGone:
        await _wait_for_end(described["pid"], described["born"])
        traces.clear(Path(described["directory"]))
        raise


@contextlib.asynccontextmanager
async def process(log: Path) -> AsyncIterator[Process]:
    """A lab's process, which waits for its declaration and is ended afterwards; see `ready`."""
    if importlib.util.find_spec("moto") is None:
        raise EnvironmentFailed(
            "the embedded lab needs moto, which is not installed;"
            " in the clone: pip install '.[lab]'"
        )
    started = await _spawn(log)
    try:
        yield started
    finally:
        await _end(started)


async def _spawn(log: Path) -> Process:
    private = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(private, "ab") as errors:
        # A session of its own: Ctrl-C is for the run, which still needs the lab to roll back.
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "chaos.lab",
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            start_new_session=True,
            limit=2**24,
        )


async def ready(process: Process, lab: dict[str, Any], speed: float, log: Path) -> dict[str, Any]:
    """Hand the lab its declaration; what it tells of itself once it is up."""
    assert process.stdin is not None  # noqa: S101  # both were asked for as pipes
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(json.dumps({"lab": lab, "speed": speed}).encode() + b"\n")
    try:
        async with asyncio.timeout(READY_WITHIN_S * speed_of(asyncio.get_running_loop())):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise EnvironmentFailed(f"the lab did not start{last_words(log)}") from error
    if not line:
        raise EnvironmentFailed(f"the lab ended while it started{last_words(log)}")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise EnvironmentFailed(answer["error"])
    return answer


def last_words(log: Path) -> str:
    """The last line that the lab has complained with: the log goes when the drill cannot begin."""
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").splitlines()
        return f": {lines[-1][:300]}" if lines else ""
    return ""


async def _end(process: Process) -> None:
    """Close the pipe the lab lives by; kill it when it does not go."""
    assert process.stdin is not None  # noqa: S101  # asked for as a pipe
    process.stdin.close()
    speed = speed_of(asyncio.get_running_loop())
    try:
        async with asyncio.timeout(END_WITHIN_S * speed):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _wait_for_end(pid: int, born: str) -> None:
    speed = speed_of(asyncio.get_running_loop())
    for _ in range(int(END_WITHIN_S * 10)):
        if traces.born(pid) != born:
            return  # that number has gone to another process since
        await asyncio.sleep(0.1 * speed)
    raise EnvironmentFailed(f"the lab (process {pid}) does not end; kill it, then try again")
