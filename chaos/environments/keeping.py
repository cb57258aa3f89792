"""Labs that stay, from outside: hire a keeper, look at what it keeps, let it go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from chaos.environments.control import Control
from chaos.environments.keeper import STAY
from chaos.environments.lab_process import END_WITHIN_S, READY_WITHIN_S
from chaos.environments.standing import Standing, StandingLabs
from chaos.errors import ChaosError, EnvironmentFailed

# In seconds of the wall, beyond what the lab itself may take.
KEEPER_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05


def stand_up(asked: dict[str, Any]) -> Standing:
    """Hire a keeper; `asked` is what its standard input takes. Raises EnvironmentFailed.

    Whatever ends this call before it returns ends the keeper too, and so the lab.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-m", "chaos.environments.keeper"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C, and a terminal that closes, are not for it
    )
    assert keeper.stdin is not None  # noqa: S101  # both were asked for as pipes
    assert keeper.stdout is not None  # noqa: S101
    try:
        keeper.stdin.write(json.dumps(asked).encode() + b"\n")
        keeper.stdin.flush()
        standing = _told(keeper.stdout.fileno())
        keeper.stdin.write(STAY)
        keeper.stdin.flush()
    except BaseException:
        keeper.stdin.close()
        keeper.wait(END_WITHIN_S + KEEPER_WITHIN_S)
        raise
    keeper.returncode = 0  # it is nobody's child from here on: not waited for
    return standing


def look(labs: Iterable[Standing]) -> list[dict[str, Any] | None]:
    """What each lab tells of itself now; None for one that does not answer."""

    async def ask(standing: Standing) -> dict[str, Any] | None:
        if not standing.alive or not standing.described:
            return None
        try:
            return await Control(Path(standing.described["control"])).call("describe_lab")
        except ChaosError:
            return None

    async def ask_all() -> list[dict[str, Any] | None]:
        return await asyncio.gather(*map(ask, labs))

    return asyncio.run(ask_all())


def end(standing: Standing, labs: StandingLabs) -> None:
    """End a lab and return when nothing is left of it; raises EnvironmentFailed with what is."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if standing.alive:
            with contextlib.suppress(ProcessLookupError):  # gone in this moment
                os.kill(standing.keeper, number)
        if _comes_true(lambda: not standing.alive):
            break
    # A keeper that was killed leaves its lab without a lifeline: it ends then, by itself.
    gone = _comes_true(lambda: not standing.left())
    labs.forget(standing)
    if not gone and (left := standing.left()):
        raise EnvironmentFailed(f"of the lab {standing.name} there is still {', '.join(left)}")


def _told(fd: int) -> Standing:
    """The line that the keeper prints."""
    line, until = b"", time.monotonic() + READY_WITHIN_S + KEEPER_WITHIN_S
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([fd], [], [], max(0.0, until - time.monotonic()))
        if not readable:
            raise EnvironmentFailed("the lab's keeper does not answer")
        if not (part := os.read(fd, 65536)):
            raise EnvironmentFailed("the lab's keeper ended while it started")
        line += part
    answer = json.loads(line)
    if "error" in answer:
        raise EnvironmentFailed(answer["error"])
    return Standing(**answer)


def _comes_true(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + END_WITHIN_S + LOOK_EVERY_S
    while not (true := condition()) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
    return true
