"""What the undo log tells of runs that have not come to their end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from chaos.custody import lease
from chaos.custody.lease import Held
from chaos.custody.store import Document, Store
from chaos.custody.undo_log import document, finished, known, understood
from chaos.errors import JournalFailed
from chaos.history import History, Pull
from chaos.journal import Event

AT_ONCE = 8  # documents read side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """One run in the undo log. `problems` are sentences: what could not be read."""

    run: str
    events: tuple[Event, ...]
    history: History | None  # None: without its header it cannot be put back from here
    held: Held | None
    leased: Document | None
    alive: bool  # somebody still minds it
    over: bool  # nothing of it is open; it is only to be cleared away
    next: int  # the number of the next document
    problems: tuple[str, ...] = ()

    @property
    def open_pulls(self) -> tuple[Pull, ...]:
        """The levers that are not known to be back, last pulled first."""
        return self.history.open_pulls if self.history and not self.over else ()

    @property
    def nothing_open(self) -> bool:
        """Whether it is known that there is nothing to put back."""
        pulls = any(event["event"] == "pull" for event in self.events)
        return self.over or not (self.open_pulls or (pulls and not self.history) or self._unread)

    @property
    def _unread(self) -> bool:
        return bool(self.problems)


async def all_runs(store: Store) -> list[Unfinished]:
    """Each run that is there, oldest first; raises CallFailed."""
    keys = await store.keys("runs/")
    runs = sorted({key.split("/")[1] for key in keys})
    return [await _run(store, run, keys) for run in runs]


async def one(store: Store, run: str) -> Unfinished | None:
    """That run, or None when nothing is kept of it; raises CallFailed."""
    keys = await store.keys(f"runs/{run}/")
    return await _run(store, run, keys) if keys else None


async def _run(store: Store, run: str, keys: list[str]) -> Unfinished:
    problems: list[str] = []
    leased = await store.get(lease.key_of(run))
    held = _held(leased, problems)
    logs = [key for key in keys if key.startswith(f"runs/{run}/log/")]
    events = await _events(store, logs, problems)
    if logs and not (events and events[0]["event"] == "run"):
        problems.append("its header is missing")
    problems += _gaps(run, logs)
    whole, over = known(events), finished(run) in keys
    problems += [f"the pull {e['pull']} is missing" for e in events if e not in whole]
    return Unfinished(
        run=run,
        events=tuple(whole),
        history=understood(whole),
        held=held,
        leased=leased,
        alive=held is not None and held.alive(store.clock.now()),
        over=over,
        next=int(logs[-1].rpartition("/")[2]) + 1 if logs else 0,
        problems=() if over else tuple(problems),  # what is missing then was cleared away
    )


def _held(leased: Document | None, problems: list[str]) -> Held | None:
    if leased is None:
        return None
    try:
        return lease.read(leased)
    except JournalFailed as error:
        problems.append(f"its lease is {error}")
        return None


async def _events(store: Store, keys: list[str], problems: list[str]) -> list[Event]:
    """What can be read of these documents, in their order."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def get(key: str) -> Event | None:
        async with turn:
            return _event(await store.get(key))

    events = await asyncio.gather(*map(get, keys))
    for key, event in zip(keys, events, strict=True):
        if event is None:
            problems.append(f"the document {key} cannot be read")
    return [event for event in events if event is not None]


def _event(found: Document | None) -> Event | None:
    try:
        event: Any = json.loads(found.text if found else "")
        return {"n": event["n"], "t": event["t"], "event": event["event"], **event}
    except (ValueError, TypeError, KeyError):
        return None


def _gaps(run: str, keys: list[str]) -> list[str]:
    last = int(keys[-1].rpartition("/")[2]) if keys else -1
    wanted = [document(run, number) for number in range(last + 1)]
    return [f"the document {key} is missing" for key in wanted if key not in keys]
