"""An environment whose data plane is a lab, seen from the run."""

from __future__ import annotations

import asyncio
import math
import socket
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any, Self

from chaos.environments import lab_process, traces
from chaos.environments.calls import AwsCalls
from chaos.environments.control import Control
from chaos.errors import CallFailed, EnvironmentFailed, EnvironmentGone
from chaos.loops import speed_of
from probes.names import Names
from probes.net import Net
from probes.probe import Probe

KEY = ("lab", "lab")
# Seconds of the wall that botocore waits for `100 Continue` when it puts an object: no timeout of
# its own bounds them, so that the thread of a call that hangs is taken for so much longer.
CONTINUE_S = 1.0
GAVE_UP = 1  # the exit code of a lab that tells in its last line why it has ended


class InALab:
    """A running lab: `lab` is what it tells of itself; its `process` and `log`, if it is ours."""

    kind: str

    def __init__(
        self, lab: dict[str, Any], process: Process | None = None, log: Path | None = None
    ) -> None:
        self._lab = lab
        self._process = process
        self._log = log
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
        speed = speed_of(asyncio.get_running_loop())
        taken = probe.timeout + CONTINUE_S * speed
        door = AwsCalls(
            self._lab["api"],
            key=KEY,
            timeout_s=probe.timeout / speed,
            threads=min(64, math.ceil(taken / probe.every) + 2),
        )
        self._doors.append(door)
        server, port = self._lab["dns"]
        return Net(
            names=Names((server, port), cache=probe.dns_cache, family=probe.family),
            ports={int(port): real for port, real in self._lab["ports"].items()},
            aws=door.call,
        )

    async def pulse(self) -> None:
        """Return when the lab has answered, and what answers the AWS API behind it."""
        await self._control.call("pulse")

    async def ended(self) -> str:
        """Return when the lab that this run has started has ended."""
        if self._process is None:
            return await asyncio.Future()
        await self._process.wait()
        code = self._process.returncode
        why = lab_process.last_words(self._log) if code == GAVE_UP and self._log else ""
        return f"the lab has ended, with exit code {code}{why}"

    def at(self, _account: str | None) -> Self:
        """A lab is one account, whatever it is called."""
        return self

    @property
    def stale_s(self) -> float:
        """What a lab tells is so."""
        return 0.0

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


async def find_again(described: dict[str, Any]) -> dict[str, Any]:
    """What the lab that a journal names tells of itself; raises EnvironmentGone when it has ended.

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
        return await control.call("describe_lab")
    except EnvironmentGone:
        await _wait_for_end(described["pid"], described["born"])
        traces.clear(Path(described["directory"]))
        raise


async def _wait_for_end(pid: int, born: str) -> None:
    speed = speed_of(asyncio.get_running_loop())
    for _ in range(int(lab_process.END_WITHIN_S * 10)):
        if traces.born(pid) != born:
            return  # that number has gone to another process since
        await asyncio.sleep(0.1 * speed)
    raise EnvironmentFailed(f"the lab (process {pid}) does not end; kill it, then try again")
