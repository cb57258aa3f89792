"""The undo log: of each run, what is needed to put it back, kept where no machine's end reaches.

    runs/RUN/lease          who minds it (lease.py)
    runs/RUN/log/00000000   the run's header, then each pull, pulled, restored and end: one document
    runs/RUN/finished       nothing is open; what else is there is rubbish

A document is made once and never changed. Numbers leave no gap, so two processes that both think
the run is theirs want the same number, and one of them finds out.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from chaos.custody.lease import Lease
from chaos.custody.store import Store
from chaos.errors import ChaosError, JournalFailed
from chaos.history import History, fold
from chaos.journal import Event

KEPT = ("run", "pull", "pulled", "restored", "end")
LONGEST_HEADER = 200_000  # characters; an item of DynamoDB holds 400 KB
# Seconds of the wall. Nothing is set before its pull is there; what was done must not hold up
# what is still to be put back, least of all when the store has failed before.
BEFORE_S, AFTER_S, BEHIND_S = 15.0, 5.0, 1.0


class UndoLog:
    """The log of one run, as the process writes it that holds the lease."""

    def __init__(
        self, store: Store, run: str, lease: Lease, *, written: Sequence[Event] = (), at: int = 0
    ) -> None:
        """`written` are the events that are there; `at` is the number of the next document."""
        self._store, self._run, self._lease = store, run, lease
        self._written, self._next = list(written), at
        self._waiting: deque[Event] = deque()
        self._seen: set[int] = set()
        self._turn = asyncio.Lock()
        self._lost = False

    async def record(self, event: Event) -> None:
        """Keep an event of the journal, if it is one that matters; the same one is kept once.

        Raises JournalFailed when the store does not have it, with all before it. What could not be
        kept is tried again with the next one.
        """
        if event["event"] not in KEPT or event["n"] in self._seen:
            return
        within = BEHIND_S if self._waiting else AFTER_S
        await self.append(event, within=BEFORE_S if event["event"] == "pull" else within)

    async def append(self, event: Event, *, within: float) -> None:
        """Keep an event, whatever it is; `within` so many seconds. Raises JournalFailed."""
        self._seen.add(event["n"])
        self._waiting.append(event)
        pull = event["event"] == "pull"
        if pull:
            self._mind_lease()
        await self.flush(within=within)
        if pull:
            self._mind_lease()  # it may have taken long

    async def flush(self, *, within: float) -> None:
        """Keep what is waiting for it; raises JournalFailed."""
        try:
            async with asyncio.timeout(within):
                await self._flush()
        except TimeoutError as error:
            raise JournalFailed(f"{self._store.url}: no answer within {within:g} s") from error

    @property
    def open_pulls(self) -> bool:
        """Whether anything is left to put back, or is not known to be back."""
        history = understood(self._written)
        pulls = any(event["event"] == "pull" for event in self._written)
        return bool(self._waiting or (history.open_pulls if history else pulls))

    @property
    def lost(self) -> bool:
        """Whether another process writes this log now."""
        return self._lost

    async def _flush(self) -> None:
        async with self._turn:
            while self._waiting:
                await self._write(self._waiting[0])
                self._written.append(self._waiting.popleft())
                self._next += 1

    async def _write(self, event: Event) -> None:
        try:
            done = None
            if not self._lost:
                text = json.dumps(_short(event), separators=(",", ":"))
                done = await self._store.write(document(self._run, self._next), text)
        except ChaosError as error:
            raise JournalFailed(f"{self._store.url}: cannot be written: {error}") from error
        if done is None:
            self._lost = True
            raise JournalFailed(f"{self._store.url}: another process has taken the run over")

    def _mind_lease(self) -> None:
        if not self._lease.valid:
            raise JournalFailed(
                f"{self._store.url}: the lease of this run is over, so nothing more is broken"
            )


def document(run: str, number: int) -> str:
    """The key of one document of a run's log."""
    return f"runs/{run}/log/{number:08}"


def finished(run: str) -> str:
    """The key of the mark that nothing of the run is open."""
    return f"runs/{run}/finished"


def understood(events: Iterable[Event]) -> History | None:
    """What the events tell; None without the run's header, or when they make no sense."""
    try:
        return fold(known(events))
    except JournalFailed:
        return None


def known(events: Iterable[Event]) -> list[Event]:
    """Without what is told of pulls that are not there themselves."""
    events = list(events)
    pulls = {event["pull"] for event in events if event["event"] == "pull"}
    of_pulls = ("pulled", "restored")
    return [e for e in events if e["event"] not in of_pulls or e["pull"] in pulls]


def _short(event: Event) -> dict[str, Any]:
    """A header that is too long goes without what no rollback needs."""
    if event["event"] != "run" or len(json.dumps(event)) <= LONGEST_HEADER:
        return event
    needed = ("name", "title", "faults")
    experiment = {name: event["experiment"][name] for name in needed if name in event["experiment"]}
    return {**event, "experiment": {**experiment, "probes": {}, "objectives": {}}}
