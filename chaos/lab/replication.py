"""DynamoDB global tables for an emulator that has none: writes are copied to the other regions.

A write that was answered is due in each other region after the table's lag; what is copied then
is the item as it stands where it was written last (last writer wins). A key that is due already
keeps its time, or one that is written without pause would never be copied.

Weaker than AWS in one point: a write in one region to a key of which an older write is just being
copied there (milliseconds) can be overwritten by that copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from chaos.errors import CallFailed
from chaos.lab.dynamodb_keys import WRITES, Identity, Key, identity, key_of, touched
from chaos.loops import speed_of
from chaos.proxies.request import ApiRequest

log = logging.getLogger(__name__)

# One operation of the AWS API: (service, region, operation, **params), as `AwsCalls.call`.
Call = Callable[..., Awaitable[dict[str, Any]]]

# The API's limit of one BatchWriteItem, in items.
AT_ONCE = 25
# A copy that fails is tried again, each time after twice as long (loop seconds), then given up.
FIRST_RETRY = 0.25
MAX_TRIES = 8
# Seconds of the wall within which the copies under way must end when a region is paused.
QUIET_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A replicated table: its key's attribute names, its regions, and the lag in loop seconds."""

    name: str
    key: tuple[str, ...]
    regions: tuple[str, ...]
    lag: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One item that one region has to get from another, at loop time `due`."""

    table: Table
    key: Key
    source: str
    target: str
    due: float
    tries: int = 0

    @property
    def way(self) -> Way:
        """There is one copy at most of a key to a region: the next takes its place."""
        return (self.table.name, identity(self.key, self.table.key), self.target)

    def touches(self, region: str) -> bool:
        """Whether it is from or to the region."""
        return region in (self.source, self.target)


Way = tuple[str, Identity, str]


class Replication:
    """Copies writes between regions. `call` must go straight to the emulator.

    Through a proxy that tells of its calls to `seen`, each copy would be copied again, for ever.
    """

    def __init__(self, tables: Sequence[Table], call: Call) -> None:
        self._tables = {table.name: table for table in tables}
        self._call = call
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
        """A call was answered: when it is a write to a replicated table, its keys become due."""
        operation, region = request.operation or "", request.region
        write = request.service == "dynamodb" and operation in WRITES and status == 200
        if not write or region is None:
            return
        try:
            for name, attributes in touched(operation, body):
                table = self._tables.get(name)
                if table and region in table.regions:
                    self._written(table, region, key_of(attributes, table.key))
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

    def _written(self, table: Table, source: str, key: Key) -> None:
        now = asyncio.get_running_loop().time()
        for region in table.regions:
            copy = Copy(table=table, key=key, source=source, target=region, due=now + table.lag)
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
        """One batch: all of one table, from one region to one other."""
        try:
            found, unread = await self._read(copies)
            unwritten = await self._write([c for c in copies if c.way[1] not in unread], found)
        except CallFailed as error:
            self._again(copies, str(error))
        else:
            left = unread | unwritten
            self._again([copy for copy in copies if copy.way[1] in left], "not all were processed")

    async def _read(self, copies: list[Copy]) -> tuple[dict[Identity, Any], set[Identity]]:
        """The items there are, and those that were not looked for."""
        table = copies[0].table
        asked = {"Keys": [copy.key for copy in copies], "ConsistentRead": True}
        answer = await self._call(
            "dynamodb", copies[0].source, "batch_get_item", RequestItems={table.name: asked}
        )
        items = answer.get("Responses", {}).get(table.name, [])
        unread = answer.get("UnprocessedKeys", {}).get(table.name, {}).get("Keys", [])
        return (
            {identity(item, table.key): item for item in items},
            {identity(key, table.key) for key in unread},
        )

    async def _write(self, copies: list[Copy], found: dict[Identity, Any]) -> set[Identity]:
        """Write what is still wanted; returns what was not written."""
        table = copies[0].table if copies else None
        wanted = [_request(copy, found) for copy in copies if copy.way in self._flying]
        if table is None or not wanted:
            return set()
        answer = await self._call(
            "dynamodb", copies[0].target, "batch_write_item", RequestItems={table.name: wanted}
        )
        left = answer.get("UnprocessedItems", {}).get(table.name, [])
        return {identity(_attributes(request), table.key) for request in left}

    def _again(self, copies: Sequence[Copy], why: str) -> None:
        # What is not flying any more, or due again, has been replaced by a later write.
        failed = [c for c in copies if c.way in self._flying and c.way not in self._due]
        if not failed:
            return
        first, now = failed[0], asyncio.get_running_loop().time()
        what = f"of {first.table.name} from {first.source} to {first.target}"
        log.warning("%d copies %s failed: %s", len(failed), what, why)
        for copy in failed:
            if copy.tries + 1 < MAX_TRIES:
                due = now + FIRST_RETRY * 2**copy.tries
                self._due[copy.way] = replace(copy, due=due, tries=copy.tries + 1)
            else:
                log.error("the copy %s of %s is given up", what, copy.key)


def _batches(copies: Iterable[Copy]) -> list[list[Copy]]:
    alike: dict[tuple[str, str, str], list[Copy]] = defaultdict(list)
    for copy in copies:
        alike[copy.table.name, copy.source, copy.target].append(copy)
    return [
        same[start : start + AT_ONCE]
        for same in alike.values()
        for start in range(0, len(same), AT_ONCE)
    ]


def _request(copy: Copy, found: dict[Identity, Any]) -> dict[str, Any]:
    item = found.get(copy.way[1])
    return {"PutRequest": {"Item": item}} if item else {"DeleteRequest": {"Key": copy.key}}


def _attributes(request: dict[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = (
        request["PutRequest"]["Item"]
        if "PutRequest" in request
        else request["DeleteRequest"]["Key"]
    )
    return attributes
