"""The lab as a process: `python -m chaos.lab`, started by who needs one, and ended with it.

Standard input   one line: {"lab": declaration as JSON, "speed": 8.0}, and "control_plane" for an
                 emulator that is there (`Given`; without it moto), "stays": true for a lab to play
                 with, "seed": what its chance is drawn from (`chance.py`); then it is the
                 lifeline: when it closes, the lab takes everything down and ends
Standard output  one line, when all is up: what `describe_lab` gives, or {"error": one sentence}
SIGTERM, SIGHUP  end it in the same way; SIGINT is for the run, which needs its lab to roll back
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaos.errors import ChaosError, EnvironmentFailed
from chaos.secrets import mask_output

if TYPE_CHECKING:
    from chaos.lab.control_plane import Given
    from chaos.lab.declaration import Lab
    from chaos.lab.world import World

Tell = Callable[[dict[str, Any]], None]

AUTOGROUP = Path("/proc/self/autogroup")  # sched(7)
LONGEST_LINE = 4 * 1024 * 1024
# A unix socket's path has 107 bytes; multiprocessing's own is the longest, with 31 below this.
LONGEST_DIRECTORY = 75


def main() -> int:
    """0 when it was ended from outside, 1 when it could not start or go on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    with contextlib.suppress(PermissionError):  # it leads its own already
        os.setsid()
    _stay_nice()
    tell = _only_teller()
    mask_output()
    _forget_aws()
    if not (line := sys.stdin.buffer.readline(LONGEST_LINE)):
        return 0
    try:
        return _run(line, tell)
    except ChaosError as error:
        tell({"error": str(error)})
        return 1


def _stay_nice() -> None:
    """Linux gives each session a share of its own, whatever its processes were told to yield."""
    with contextlib.suppress(OSError):
        if (nice := os.getpriority(os.PRIO_PROCESS, 0)) > 0:
            AUTOGROUP.write_text(str(nice))


def _run(line: bytes, tell: Tell) -> int:
    directory: Path | None = None

    # Registered before multiprocessing, which is imported below and has files in it too: what is
    # registered first is called last.
    @atexit.register
    def clear_away() -> None:
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)

    from chaos.lab.assembly import stand_up
    from chaos.lab.chance import CHANCE
    from chaos.loops import run_at

    lab, speed, given, stays, seed = _asked(line)
    CHANCE.sow(seed)
    # From here on there is something to clear away. It is moto, started next, that does it when
    # this process is killed, or `last_light`.
    directory = Path(tempfile.mkdtemp(prefix="chaos-lab-"))
    if len(str(directory)) > LONGEST_DIRECTORY:
        raise EnvironmentFailed(
            f"{directory} is too long for unix sockets; set TMPDIR to a shorter path"
        )
    tempfile.tempdir = str(directory)
    standing = functools.partial(stand_up, lab, given, directory, stays=stays)
    return run_at(speed, _live(standing, tell))


def _asked(line: bytes) -> tuple[Lab, float, Given | None, bool, str | None]:
    from pydantic import ValidationError

    from chaos.lab.control_plane import Given
    from chaos.lab.declaration import Lab

    try:
        asked = json.loads(line)
        given = asked.get("control_plane")
        plane = None if given is None else Given(**given)
        stays, seed = bool(asked.get("stays", False)), asked.get("seed")
        return Lab.model_validate(asked["lab"]), float(asked["speed"]), plane, stays, seed
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(str(step) for step in wrong["loc"])
        raise EnvironmentFailed(
            f"the lab's declaration is wrong: {where}: {wrong['msg']}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise EnvironmentFailed(f"the lab cannot use what it was given: {error!r}") from error


async def _live(stand_up: Callable[[AsyncExitStack], Awaitable[World]], tell: Tell) -> int:
    """Stand up, and stay until there is a reason to end; nothing interrupts the taking down."""
    why = await _stay(stand_up, tell)
    if why:  # the last word, so that whoever reads the log's last line has it
        print(why, file=sys.stderr)
    return 1 if why else 0


async def _stay(stand_up: Callable[[AsyncExitStack], Awaitable[World]], tell: Tell) -> str:
    """The reason, when nobody has asked for the end."""
    over = asyncio.create_task(_reason_to_end().wait())
    async with AsyncExitStack() as stack:
        standing = asyncio.ensure_future(stand_up(stack))
        await asyncio.wait({standing, over}, return_when=asyncio.FIRST_COMPLETED)
        if not standing.done():
            standing.cancel()
            await asyncio.gather(standing, return_exceptions=True)
            return ""
        world = standing.result()
        gc.freeze()  # what is there stays, and looking through it for garbage stops everything
        tell(world.describe())
        ended = asyncio.create_task(world.control_plane.ended())
        await asyncio.wait({ended, over}, return_when=asyncio.FIRST_COMPLETED)
        return ended.result() if ended.done() else ""


def _reason_to_end() -> asyncio.Event:
    """Set when the lifeline closes or a signal asks for it."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)

    def watch() -> None:
        # Not sys.stdin: its lock, held here, would keep the interpreter from ending.
        while os.read(0, 65536):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(over.set)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    return over


def _only_teller() -> Tell:
    """Keep standard output for our one line; what anyone else prints goes to standard error."""
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(what: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more
            print(json.dumps(what), file=output, flush=True)

    return tell


def _forget_aws() -> None:
    """Nothing of the user's AWS account, nor a proxy, has a part in the lab."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ[name] = os.devnull
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = "*"


if __name__ == "__main__":
    sys.exit(main())
