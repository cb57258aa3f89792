"""The lab's process, as whoever starts it sees it: `python -m chaos.lab`.

It lives as long as the pipe to its standard input is open, so it cannot outlive the run, however
the run ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from chaos import private
from chaos.errors import EnvironmentFailed
from chaos.loops import speed_of

# Bounds in seconds of the wall. A lab starts in a few seconds and ends in less than one, unless
# what it has made in an emulator is to be removed from one that hangs.
READY_WITHIN_S = 90.0
END_WITHIN_S = 40.0


@contextlib.asynccontextmanager
async def process(log: Path) -> AsyncIterator[Process]:
    """A lab's process, which waits for its declaration and is ended afterwards; see `ready`."""
    started = await _spawn(log)
    try:
        yield started
    finally:
        await _end(started)


async def ready(process: Process, asked: dict[str, Any], log: Path) -> dict[str, Any]:
    """Hand the lab what its standard input takes; what it tells of itself once it is up.

    Raises EnvironmentFailed with the lab's own sentence when it does not come up.
    """
    assert process.stdin is not None  # noqa: S101  # both were asked for as pipes
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(json.dumps(asked).encode() + b"\n")
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


async def _spawn(log: Path) -> Process:
    fd = private.create(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with os.fdopen(fd, "ab") as errors:
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
