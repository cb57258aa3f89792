"""Clears away after a lab that was killed, for which nobody else is left.

    python -m chaos.lab.last_light

Standard input: {"directory": …, "lab": its name, "control_plane": …} as one line; it stays open as
long as the lab lives. A lab with moto needs no such process: moto does it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
from typing import Any


def main() -> int:
    """Wait for the lab's end; what it has cleared away itself is not there any more."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are for the lab; this ends when it has
    told = json.loads(sys.stdin.buffer.readline() or "null")
    sys.stdin.buffer.read()
    if told is not None:
        shutil.rmtree(told["directory"], ignore_errors=True)
        asyncio.run(clear(told["lab"], told["control_plane"]))
    return 0


async def clear(lab: str, told: dict[str, Any]) -> int:
    """Remove what a lab that has ended made in an emulator, told of as `Given` is.

    Returns how many things an emulator that does not answer has kept.
    """
    from chaos.environments.calls import AwsCalls
    from chaos.errors import EnvironmentFailed
    from chaos.lab.control_plane import Attached, Given
    from chaos.lab.made import Ledger, Made
    from chaos.lab.plane import REMOVAL_WITHIN_S, remove

    given = Given(**told)
    try:
        ledger = Ledger.open(given.endpoint, lab, given.session)
    except EnvironmentFailed:
        return 0  # a lab of that name is there, and sees to it
    calls = AwsCalls(given.endpoint, key=given.key, timeout_s=REMOVAL_WITHIN_S)
    made = Made(calls.call, ledger)
    await remove(made, Attached(given))
    calls.close()
    ledger.close()
    return made.count


async def clear_after(described: dict[str, Any]) -> None:
    """The same after a run, whose journal describes its environment so.

    What a lab could not remove is in a LocalStack that hung, or that was killed together with it.
    """
    from chaos.environments.localstack import KEY
    from chaos.environments.on_localstack import OnLocalStack

    if described.get("kind") == OnLocalStack.kind:
        told = {"endpoint": described["url"], "session": described["session"], "key": KEY}
        await clear(described["lab"], told)


if __name__ == "__main__":
    sys.exit(main())
