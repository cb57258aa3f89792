"""What every probe must keep to: the truth about a target that does well, badly, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.testing.models import check_words, example_probe
from chaos.testing.promise import must
from probes import Probe
from probes.detection import looked
from probes.net import Net
from probes.probe import Attempt, Sample
from probes.schedule import run_probe

# How long what a hanging attempt held may take to be given back, in seconds of the loop.
GIVEN_BACK_WITHIN = 10.0
# At how many moments, in turns of the loop, an attempt is given up.
MOMENTS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A probe that is pointed at a target; `asked` tells how many attempts that has met so far."""

    probe: Probe
    net: Net = field(default_factory=Net)
    asked: Callable[[], int] | None = None


def check_probe_kind(kind: type[Probe]) -> None:
    """What the kind says of itself; raises AssertionError for a promise that is not kept."""
    check_words(kind, Probe)
    example_probe(kind)


async def check_probe(*, good: Aim, bad: Aim, hanging: Aim) -> None:
    """Make an attempt at each target; raises AssertionError for a promise that is not kept.

    `good` does what the probe expects, `bad` does not, `hanging` never answers.
    """
    check_probe_kind(type(good.probe))
    await _check_good(good)
    await _check_bad(bad)
    await _check_hanging(hanging)
    await _check_given_up(good)


async def one_sample(probe: Probe, net: Net) -> Sample:
    """One attempt as a run makes it, which bounds its time and words its errors."""
    got: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()

    def emit(sample: Sample) -> None:
        if not got.done():
            got.set_result(sample)

    origin = asyncio.get_running_loop().time()
    once = probe.model_copy(update={"every": 2 * probe.timeout + 60})
    ticking = asyncio.create_task(run_probe("p", once, net, run="r", origin=origin, emit=emit))
    try:
        return await got
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking


async def _check_good(aim: Aim) -> None:
    sample = await one_sample(aim.probe, aim.net)
    kind = aim.probe.kind
    must(sample.ok, f"{kind} finds a good target bad: {sample.error}")
    if aim.probe.detects:
        silent = sample.detail.get("detected") is False
        must(silent, f"{kind} must say of a good target that it detects nothing: detected, False")


async def _check_bad(aim: Aim) -> None:
    before = aim.asked() if aim.asked else 0
    sample = await one_sample(aim.probe, aim.net)
    kind = aim.probe.kind
    must(not sample.ok, f"{kind} finds a bad target good")
    must(not sample.crashed, f"{kind} breaks on a bad target: {sample.error}")
    told = sample.error.strip() not in ("", "failed")  # the frame's word for one without words
    must(told, f"{kind} does not say what was wrong with a bad target")
    if aim.asked:
        times = aim.asked() - before
        must(times == 1, f"{kind} has asked {times} times in one attempt; it may not ask again")


async def _check_hanging(aim: Aim) -> None:
    sockets, tasks = _sockets(), len(asyncio.all_tasks())
    sample = await one_sample(aim.probe, aim.net)
    kind = aim.probe.kind
    must(
        not sample.ok and sample.error.startswith("timed out after"),
        f"{kind} must be timed out at a target that hangs, and says: {sample.error or 'good'}",
    )
    must(not looked(sample), f"{kind} says whether it detects a fault without an answer")
    await _check_given_back(kind, sockets, tasks)


async def _check_given_up(aim: Aim) -> None:
    """As at the end of a run, which may come at any moment of an attempt."""
    loop, unhandled = asyncio.get_running_loop(), list[str]()
    sockets, tasks = _sockets(), len(asyncio.all_tasks())
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: unhandled.extend(_forgotten(context)))
    try:
        for moment in range(MOMENTS):
            attempt = Attempt(run="r", probe="p", n=moment)
            under_way = asyncio.create_task(aim.probe.check(aim.net, attempt))
            for _ in range(moment):
                await asyncio.sleep(0)
            under_way.cancel()
            await asyncio.gather(under_way, return_exceptions=True)
        del under_way
        await _check_given_back(aim.probe.kind, sockets, tasks)
        gc.collect()  # an error that nobody has asked for is told when it is forgotten
    finally:
        loop.set_exception_handler(handler)
    must(not unhandled, f"{aim.probe.kind} leaves an error that nobody handles: {unhandled[:1]}")


def _forgotten(context: dict[str, Any]) -> list[str]:
    """Of what the loop complains of: the errors of futures. A target may complain as well."""
    return [str(context["exception"])] if "future" in context and "exception" in context else []


async def _check_given_back(kind: str, sockets: set[str], tasks: int) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GIVEN_BACK_WITHIN):
            # No event tells when a socket of somebody else's is closed.
            while _sockets() - sockets or len(asyncio.all_tasks()) > tasks:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    must(not _sockets() - sockets, f"{kind} keeps a socket of an attempt that was given up")
    must(len(asyncio.all_tasks()) <= tasks, f"{kind} keeps a task of an attempt that was given up")


def _sockets() -> set[str]:
    """The sockets that this process has open, by the numbers that the kernel gives them."""
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(fd.readlink()))
    return {name for name in found if name.startswith("socket:")}
