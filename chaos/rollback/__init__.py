"""Rollback, written once: put every lever back, last pulled first, read it again, compare.

It never overwrites somebody else's change: a lever that is neither where we put it nor where it
was is a conflict, reported with both values. It needs the pulls of a journal and an environment,
nothing else, so any process can do it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

from chaos.environments.attach import attach
from chaos.environments.attended import Attended, Operator, marks_beside
from chaos.environments.environment import Environment
from chaos.errors import JournalFailed
from chaos.history import UNFINISHED, History, Pull, load
from chaos.journal import Event, Journal
from chaos.lab.last_light import clear_after
from chaos.levers.by_hand import ByHand
from chaos.loops import Stopwatch
from chaos.outside import tell_outside
from chaos.rollback.restoring import decide, restore

__all__ = ["decide", "incomplete", "put_back", "reach", "resume"]

log = logging.getLogger("chaos")

# So many levers of one kind go back at the same time.
SIDE_BY_SIDE = 8


async def put_back(
    pulls: Iterable[Pull], environment: Environment, journal: Journal, *, speed: float = 1.0
) -> list[Pull]:
    """Put the levers back in the order given and return the pulls with their outcomes.

    Those of one kind that follow on each other go back side by side. Never raises: what cannot be
    put back has the outcome "failed" or "conflict". A journal that can no longer be written, or a
    copy of it that cannot, keeps no lever from being put back. What waits for people comes last.
    """
    ended: list[Pull] = []
    events: list[Event] = []
    for kind, group in groupby(sorted(pulls, key=_by_hand), key=lambda pull: pull.lever["kind"]):
        seats = asyncio.Semaphore(1 if kind == ByHand.kind else SIDE_BY_SIDE)

        async def one(pull: Pull, seats: asyncio.Semaphore = seats) -> Pull:
            async with seats:
                pull = await restore(pull, environment, journal, speed=speed)
                events.extend(await _record(pull, journal))
                return pull

        ended += await asyncio.gather(*(one(pull) for pull in group))
    await tell_outside(journal, *events)
    return ended


async def resume(
    path: Path,
    tell: Callable[[str], None],
    *,
    outside: Callable[[Event], Awaitable[None]] | None = None,
    profile: str | None = None,
) -> list[Pull]:
    """Put back what the run with this journal has left open, from whatever process this is.

    `tell` shows a person one line: what they are to undo. `outside` keeps the copy of the journal,
    as `Journal.outside`; `profile` is the one of the AWS config that accounts are reached with,
    instead of those of the run. Raises JournalFailed when the run still goes on elsewhere, or the
    journal cannot be used.
    """
    journal = Journal.reopen(path, Stopwatch())
    journal.outside = outside
    try:
        history = load(path, salvage=True)
        if history.finished and not history.open_pulls:
            await clear_after(history.header["environment"])
            return []  # and whatever has the number of its lab's process now is not ours
        environment = await reach(path, history, tell, profile)
        try:
            pulls = await put_back(history.open_pulls, environment, journal)
        finally:
            environment.close()
        if not (incomplete(pulls) or history.lost):
            await clear_after(history.header["environment"])
        return pulls
    finally:
        journal.close()


async def reach(
    path: Path, history: History, tell: Callable[[str], None], profile: str | None = None
) -> Environment:
    """The environment of the run with this journal, with the person beside it."""
    asked = [p.lever.get("task", "") for p in history.pulls if p.lever["kind"] == ByHand.kind]
    faults = history.experiment.get("faults", ())
    operator = Operator(faults, marks_beside(path), tell, asked)
    return Attended(await attach(history.header["environment"], profile=profile), operator)


def incomplete(pulls: Sequence[Pull]) -> list[Pull]:
    """The pulls that are not back where they were, of those that can be."""
    return [pull for pull in pulls if pull.outcome in UNFINISHED]


def _by_hand(pull: Pull) -> bool:
    return bool(pull.lever["kind"] == ByHand.kind)


async def _record(ended: Pull, journal: Journal) -> list[Event]:
    """The journal's line, if it takes one. The run tells it otherwise; the next lever waits."""
    told = {"pull": ended.pull, "outcome": ended.outcome, "error": ended.error}
    try:
        return [
            await journal.write_durably("restored", found=ended.found, back=ended.ended, **told)
        ]
    except JournalFailed:
        return []
    except Exception:  # such as a value that no journal can hold
        log.exception("the outcome of the lever %s is not in the journal", ended.lever)
        return []
