"""The keeper of a lab that stays: `python -m chaos.environments.keeper`, for `chaos lab up`.

Standard input   one line of JSON: directory, name, about, ttl (seconds of the wall), and what the
                 lab's own standard input takes; then a line that says `stay`. When it closes
                 before, the lab is ended: its user has pressed Ctrl-C
Standard output  one line: the entry of the lab, or {"error": one sentence}
SIGTERM          ends the lab. However the keeper ends, the lab ends with it: it has its lifeline
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Coroutine
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from chaos import private
from chaos.environments import lab_process, traces
from chaos.environments.standing import Standing, StandingLabs
from chaos.errors import ChaosError
from probes.durations import show

T = TypeVar("T")

STAY = b"stay\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """0 when it was ended from outside or its time was over, 1 when the lab did not come up."""
    if not (line := sys.stdin.buffer.readline()):
        return 0
    try:
        asyncio.run(keep(json.loads(line)))
    except ChaosError as error:
        _tell({"error": str(error)})
        return 1
    return 0


async def keep(asked: dict[str, Any]) -> None:
    """Stand the lab up, tell of it, and keep it; raises a ChaosError when it does not come up."""
    labs, over, ended = StandingLabs(Path(asked["directory"])), _reason_to_end(), ""
    standing = _entry(asked)
    labs.claim(standing)
    log = labs.log(standing.name)
    _into(log)
    try:
        async with lab_process.process(log) as lab:
            if described := await _unless(over, lab_process.ready(lab, _for_lab(asked), log)):
                described["born"] = traces.born(described["pid"])
                standing = replace(standing, described=described)
                labs.put(standing)
                _tell(asdict(standing))
                ended = await _stay(lab, over, asked["ttl"])
                ended += lab_process.last_words(log) if ended else ""
    finally:
        labs.forget(standing)
    if ended:  # nobody asked for it, so that somebody has to be told
        labs.claim(replace(standing, ended=ended))


def _for_lab(asked: dict[str, Any]) -> dict[str, Any]:
    keys = ("lab", "speed", "control_plane")
    given: dict[str, Any] = {key: asked[key] for key in keys if key in asked}
    return {**given, "stays": True}


def _entry(asked: dict[str, Any]) -> Standing:
    now, pid = datetime.now(UTC), os.getpid()
    return Standing(
        name=asked["name"],
        keeper=pid,
        born=traces.born(pid),
        boot=traces.boot(),
        since=now.isoformat(timespec="seconds"),
        until=(now + timedelta(seconds=asked["ttl"])).isoformat(timespec="seconds"),
        about=asked["about"],
    )


async def _unless(over: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of the work; None when it is over before."""
    working, ended = asyncio.ensure_future(work), asyncio.ensure_future(over.wait())
    await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if working.done():
        return working.result()
    working.cancel()
    return None


async def _stay(lab: Process, over: asyncio.Event, ttl: float) -> str:
    """Return when the lab is over, with the reason if nobody has asked for it."""
    ended = asyncio.ensure_future(lab.wait())
    asked = asyncio.ensure_future(over.wait())
    await asyncio.wait({ended, asked}, timeout=ttl, return_when=asyncio.FIRST_COMPLETED)
    for waiting in (ended, asked):
        waiting.cancel()
    if ended.done() and not ended.cancelled():
        return f"the lab ended by itself, with exit code {ended.result()}"
    return "" if over.is_set() else f"its time was over after {show(ttl)}"


def _reason_to_end() -> asyncio.Event:
    """Set by a signal, or when standard input closes before it has said `stay`."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, over.set)

    def heard() -> None:
        loop.remove_reader(0)
        if os.read(0, 65536) != STAY:
            over.set()

    loop.add_reader(0, heard)
    return over


def _into(log: Path) -> None:
    """What goes wrong later is complained of there: the terminal of `up` must not be held open."""
    fd = private.create(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(fd, 2)
    os.close(fd)


def _tell(what: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # gone, which standard input tells too
        print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main())
