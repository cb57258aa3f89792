"""moto's server, as a child process that ends with the lab."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from chaos.errors import EnvironmentFailed
from chaos.loops import speed_of

START_WITHIN_S = 60.0  # of the wall; on two cores it takes half a second


class ControlPlane:
    """The process; its standard input is the pipe that it lives by."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def start(self, directory: Path) -> int:
        """The port it listens on; it removes `directory` when this process ends.

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
        return int(answer["port"])

    async def ended(self) -> None:
        """Return when the process is gone."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """End it at once; it has nothing to save."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
