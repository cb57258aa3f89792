"""What answers the AWS API behind a lab: moto, a child process, or an emulator that is there."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from chaos.environments.http_get import get
from chaos.errors import EnvironmentFailed
from chaos.loops import speed_of

START_WITHIN_S = 60.0  # of the wall; on two cores it takes half a second
# Seconds of the wall: how often an emulator is asked how it is, and after how long a silence it
# counts as ended. A LocalStack that loads a service answers seconds late.
ASKED_EVERY_S = 2.0
SILENT_FOR_S = 12.0
LOOPBACK = "127.0.0.1"
INFO = "/_localstack/info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An emulator that somebody else runs, as the lab is told of it on standard input.

    `session` is another one at each of its starts; `stand_ins` are services that it lacks and the
    lab stands in for.
    """

    endpoint: str
    name: str = "the emulator"
    session: str = ""
    key: tuple[str, str] = ("lab", "lab")
    stand_ins: tuple[str, ...] = ()
    address: tuple[str, int] = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.endpoint)
        object.__setattr__(self, "address", (parts.hostname or LOOPBACK, parts.port or 80))
        object.__setattr__(self, "key", tuple(self.key))
        object.__setattr__(self, "stand_ins", tuple(self.stand_ins))

    def to_json(self) -> dict[str, Any]:
        """The same again, for another process."""
        return {
            "endpoint": self.endpoint,
            "name": self.name,
            "session": self.session,
            "key": [*self.key],
            "stand_ins": [*self.stand_ins],
        }


class ControlPlane(Protocol):
    """Where the AWS API is answered."""

    async def pulse(self) -> None:
        """Return when it has answered a small question; raises EnvironmentFailed."""

    async def ended(self) -> str:
        """Return when it has ended, with the reason."""

    async def stop(self) -> None:
        """End what the lab has started for it."""


class Moto:
    """moto's process; its standard input is the pipe that it lives by."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._address = (LOOPBACK, 0)

    async def start(self, directory: Path) -> tuple[str, int]:
        """Where it listens; it removes `directory` when this process ends.

        Raises EnvironmentFailed, also when moto is not installed.
        """
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chaos.lab.moto", str(directory), stdin=PIPE, stdout=PIPE
        )
        assert process.stdout is not None  # noqa: S101  # asked for as a pipe
        try:
            async with asyncio.timeout(START_WITHIN_S * speed_of(asyncio.get_running_loop())):
                line = await process.stdout.readline()
        except TimeoutError as error:
            raise EnvironmentFailed("moto did not start in time") from error
        if not line:
            raise EnvironmentFailed("moto ended while it started")
        answer = json.loads(line)
        if "error" in answer:
            raise EnvironmentFailed(answer["error"])
        self._address = LOOPBACK, int(answer["port"])
        return self._address

    async def pulse(self) -> None:
        """Ask for its settings, a page of its own."""
        await _answer(self._address, "/moto-api/config")

    async def ended(self) -> str:
        """Return when the process is gone."""
        if self._process is not None:
            await self._process.wait()
        return "moto has ended"

    async def stop(self) -> None:
        """End it at once; it has nothing to save."""
        await _kill(self._process)


class Attached:
    """The emulator that is there, and the process that clears away after a lab that was killed."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._last_light: Process | None = None

    async def start(self, directory: Path, lab: str) -> None:
        """Have somebody who clears away what this process would leave if it were killed."""
        told = {"directory": str(directory), "lab": lab, "control_plane": self._given.to_json()}
        self._last_light = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chaos.lab.last_light", stdin=PIPE
        )
        assert process.stdin is not None  # noqa: S101  # asked for as a pipe
        process.stdin.write(json.dumps(told).encode() + b"\n")

    async def pulse(self) -> None:
        """Ask which start of it this is, a page of its own."""
        await _answer(self._given.address, INFO)

    async def ended(self) -> str:
        """Return when the emulator is another one, or has been silent for too long."""
        loop = asyncio.get_running_loop()
        speed, heard = speed_of(loop), loop.time()
        while loop.time() - heard < SILENT_FOR_S * speed:
            await asyncio.sleep(ASKED_EVERY_S * speed)
            try:
                if await self.is_another():
                    return f"{self._given.name} was started anew: what it held is gone"
            except EnvironmentFailed:
                continue
            heard = loop.time()
        return (
            f"{self._given.name} has not answered for {SILENT_FOR_S:g} s; what the lab made in it"
            " is removed by `chaos rollback`, or by the next run"
        )

    async def is_another(self) -> bool:
        """Whether it was started anew since; raises EnvironmentFailed when it does not answer."""
        return await self._session() not in ("", self._given.session)

    async def stop(self) -> None:
        """Nobody has to clear away after a lab that has done so."""
        await _kill(self._last_light)

    async def _session(self) -> str:
        """Which start of it this is; empty when it does not tell. Raises EnvironmentFailed."""
        body = await _answer(self._given.address, INFO)
        try:
            return str(json.loads(body).get("session_id", ""))
        except (ValueError, AttributeError):
            return ""


async def _answer(address: tuple[str, int], path: str) -> bytes:
    try:
        _, body = await get(address, path, SILENT_FOR_S / 2)
    except OSError as error:
        raise EnvironmentFailed("what answers the AWS API behind the lab is silent") from error
    return body


async def _kill(process: Process | None) -> None:
    if process is not None and process.returncode is None:
        process.kill()
        await process.wait()
