"""Replication between regions for emulators that have none: writes are copied after a lag.

A write that was answered is due in each other region after the lag; what is copied then is what
stands where it was written last (last writer wins). What is due already keeps its time, or what
is written without pause would never be copied. A store knows what was written and how to copy it.

Weaker than AWS in one point: a write in one region to something of which an older write is just
being copied there (milliseconds) can be overwritten by that copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from chaos.errors import CallFailed
from chaos.loops import speed_of
from chaos.proxies.request import ApiRequest

log = logging.getLogger(__name__)

# A copy that fails is tried again, each time after twice as long (loop seconds), then given up.
FIRST_RETRY = 0.25
MAX_TRIES = 8
# Seconds of the wall within which the copies under way must end when a region is paused.
QUIET_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One thing that was written in a table or bucket, whose replicas are in `regions`."""

    name: str
    key: Any  # as the store wants it for copying
    identity: Hashable  # equal for keys that are one
    regions: Collection[str]
    lag: float  # loop seconds


class Store(Protocol):
    """A service of AWS that replicates."""

    service: str  # its signing name
    at_once: int  # how many copies one call of `copy` may be given

    def writes(self, request: ApiRequest, body: bytes) -> list[Write]:
        """What the call wrote, if it is replicated; raises ValueError when it cannot be told."""

    async def copy(self, copies: list[Copy], wanted: Callable[[Copy], bool]) -> Collection[Copy]:
        """Copy all of one name, source and target; returns what was not copied.

        `wanted` is asked right before the writing. Raises CallFailed when none was copied.
        """


Way = tuple[str, str, Hashable, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One thing that one region has to get from another, at loop time `due`."""

    store: Store
    write: Write
    source: str
    target: str
    due: float
    tries: int = 0

    @property
    def way(self) -> Way:
        """There is one copy at most of a thing to a region: the next takes its place."""
        return (self.store.service, self.write.name, self.write.identity, self.target)

    def touches(self, region: str) -> bool:
        """Whether it is from or to the region."""
        return region in (self.source, self.target)


class Replication:
    """Copies writes between regions. The stores' calls must go straight to the emulator.

    Through a proxy that tells of its calls to `seen`, each copy would be copied again, for ever.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = {store.service: store for store in stores}
        self._due: dict[Way, Copy] = {}
        self._flying: dict[Way, Copy] = {}
        self._paused: set[str] = set()
        self._wake = asyncio.Event()
        self._landed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Copy from now on."""
        self._task = asyncio.create_task(self._run(), name="replication")

    async def stop(self) -> None:
        """Copy no more; what is pending stays so. Raises what ended the copying before, if so."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def seen(self, request: ApiRequest, body: bytes, status: int) -> None:
        """A call was answered: when it is a write that is replicated, its copies become due."""
        store, region = self._stores.get(request.service or ""), request.region
        if store is None or region is None or status != 200:
            return
        try:
            for write in store.writes(request, body):
                if region in write.regions:
                    self._written(store, write, region)
        except ValueError as error:
            log.warning("a write in %s will not be replicated: %s", region, error)
        self._wake.set()

    def state(self, region: str) -> Literal["on", "off"]:
        """Whether the region replicates, in both directions."""
        return "off" if region in self._paused else "on"

    def pending(self, region: str) -> int:
        """How many copies from or to the region are not made yet."""
        return sum(copy.touches(region) for copy in (*self._due.values(), *self._flying.values()))

    async def pause(self, region: str) -> None:
        """Stop replication from and to the region; returns when no copy of it is under way.

        Raises CallFailed when one does not end; nothing new is begun all the same.
        """
        self._paused.add(region)
        budget = QUIET_WITHIN_S * speed_of(asyncio.get_running_loop())
        try:
            async with asyncio.timeout(budget):
                while any(copy.touches(region) for copy in self._flying.values()):
                    await self._landed.wait()
        except TimeoutError as error:
            raise CallFailed(
                f"replication pause {region}", "Timeout", "a copy is still under way"
            ) from error

    def resume(self, region: str) -> None:
        """Replicate again, beginning with what was pending."""
        self._paused.discard(region)
        self._wake.set()

    def _written(self, store: Store, write: Write, source: str) -> None:
        due = asyncio.get_running_loop().time() + write.lag
        for region in write.regions:
            copy = Copy(store=store, write=write, source=source, target=region, due=due)
            if region == source:  # an older write elsewhere has lost
                self._due.pop(copy.way, None)
                self._flying.pop(copy.way, None)
            else:
                earlier = self._due.get(copy.way, copy)
                self._due[copy.way] = replace(copy, due=min(copy.due, earlier.due))

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            if self._take_off():
                await self._fly()
            else:
                await self._wait()

    def _open(self) -> list[Copy]:
        return [c for c in self._due.values() if not self._paused & {c.source, c.target}]

    def _take_off(self) -> bool:
        now = asyncio.get_running_loop().time()
        copies = [copy for copy in self._open() if copy.due <= now]
        self._flying = {copy.way: self._due.pop(copy.way) for copy in copies}
        return bool(copies)

    async def _wait(self) -> None:
        """Until the next is due, or something has changed."""
        next_due = min((copy.due for copy in self._open()), default=None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(next_due):
                await self._wake.wait()

    async def _fly(self) -> None:
        self._landed.clear()
        try:
            async with asyncio.TaskGroup() as group:
                for copies in _batches(self._flying.values()):
                    group.create_task(self._copy(copies))
        finally:
            self._flying = {}
            self._landed.set()

    async def _copy(self, copies: list[Copy]) -> None:
        """One batch: all of one table or bucket, from one region to one other."""
        try:
            left = await copies[0].store.copy(copies, lambda copy: copy.way in self._flying)
        except CallFailed as error:
            self._again(copies, str(error))
        else:
            self._again(left, "not all were processed")

    def _again(self, copies: Iterable[Copy], why: str) -> None:
        # What is not flying any more, or due again, has been replaced by a later write.
        failed = [c for c in copies if c.way in self._flying and c.way not in self._due]
        if not failed:
            return
        first, now = failed[0], asyncio.get_running_loop().time()
        what = f"of {first.write.name} from {first.source} to {first.target}"
        log.warning("%d copies %s failed: %s", len(failed), what, why)
        for copy in failed:
            if copy.tries + 1 < MAX_TRIES:
                due = now + FIRST_RETRY * 2**copy.tries
                self._due[copy.way] = replace(copy, due=due, tries=copy.tries + 1)
            else:
                log.error("the copy %s of %s is given up", what, copy.write.key)


def _batches(copies: Iterable[Copy]) -> list[list[Copy]]:
    alike: dict[tuple[str, str, str, str], list[Copy]] = defaultdict(list)
    for copy in copies:
        alike[copy.store.service, copy.write.name, copy.source, copy.target].append(copy)
    return [
        same[start : start + same[0].store.at_once]
        for same in alike.values()
        for start in range(0, len(same), same[0].store.at_once)
    ]
