"""The control plane that a lab is to use: moto of its own, or an emulator that is there."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from chaos.environments.calls import AwsCalls
from chaos.errors import EnvironmentFailed
from chaos.lab.control_plane import Attached, ControlPlane, Given, Moto
from chaos.lab.inventory import Call
from chaos.lab.made import Ledger, Made
from chaos.loops import speed_of

KEY = ("lab", "lab")
# A lab of this size asks little of moto, and its threads take turns anyway.
THREADS = 4
# Seconds of the wall for one call of the lab's own; while the lab comes up, one takes seconds.
CALL_WITHIN_S = 30.0
# The same for a call that removes something, when nothing comes up any more.
REMOVAL_WITHIN_S = 5.0
# Seconds of the wall in which what clears away after a lab that was killed has done so.
CLEARED_WITHIN_S = 5.0
LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Where the AWS API is, and how the lab calls it: by no door, since nobody has to hear."""

    process: ControlPlane
    address: tuple[str, int]
    call: Call
    made: Made
    stand_ins: frozenset[str] = frozenset()


async def connect(given: Given | None, lab: str, directory: Path, stack: AsyncExitStack) -> Plane:
    """A control plane that answers; what has been made in it is removed by the stack.

    Raises EnvironmentFailed with one sentence.
    """
    if given is None:
        return await _moto(directory, stack)
    ledger = await _open(given, lab)
    stack.callback(ledger.close)
    attached = Attached(given)
    stack.push_async_callback(attached.stop)
    await attached.start(directory, lab)
    calls = _calls(given.endpoint, given.key, CALL_WITHIN_S, stack)
    removing = _calls(given.endpoint, given.key, REMOVAL_WITHIN_S, stack)
    made = Made(removing.call, ledger)
    await made.remove()  # what the last lab of that name has left
    stack.push_async_callback(remove, made, attached)
    return Plane(
        process=attached,
        address=given.address,
        call=calls.call,
        made=made,
        stand_ins=frozenset(given.stand_ins),
    )


async def remove(made: Made, attached: Attached) -> None:
    """From the emulator that it was made in alone: another may have things of the same names."""
    try:
        another = await attached.is_another()
    except EnvironmentFailed:
        another = False
    if another:
        made.forget()
    else:
        await made.remove()


async def _moto(directory: Path, stack: AsyncExitStack) -> Plane:
    moto = Moto()
    stack.push_async_callback(moto.stop)
    host, port = await moto.start(directory)
    calls = _calls(f"http://{host}:{port}", KEY, CALL_WITHIN_S, stack)
    return Plane(process=moto, address=(host, port), call=calls.call, made=Made(calls.call))


def _calls(url: str, key: tuple[str, str], timeout_s: float, stack: AsyncExitStack) -> AwsCalls:
    calls = AwsCalls(url, key=key, timeout_s=timeout_s, threads=THREADS)
    stack.callback(calls.close)
    return calls


async def _open(given: Given, lab: str) -> Ledger:
    loop = asyncio.get_running_loop()
    until = loop.time() + CLEARED_WITHIN_S * speed_of(loop)
    while True:
        try:
            return Ledger.open(given.endpoint, lab, given.session)
        except EnvironmentFailed:
            if loop.time() > until:
                raise
        await asyncio.sleep(LOOK_EVERY_S * speed_of(loop))
