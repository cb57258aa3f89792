"""DynamoDB global tables for an emulator that has none: which items are copied, and how."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.lab.dynamodb_keys import WRITES, Identity, identity, key_of, touched
from chaos.lab.inventory import Call
from chaos.lab.replication import Copy, Write
from chaos.proxies.request import ApiRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A replicated table: its key's attribute names, its regions, and the lag in loop seconds.

    `sources` are the regions whose writes are copied to the others.
    """

    name: str
    key: tuple[str, ...]
    regions: tuple[str, ...]
    sources: tuple[str, ...]
    lag: float


class Tables:
    """The replicated tables; `call` must go straight to the emulator."""

    service = "dynamodb"
    at_once = 25  # the API's limit of one BatchWriteItem, in items

    def __init__(self, tables: Sequence[Table], call: Call) -> None:
        self._tables = {table.name: table for table in tables}
        self._call = call

    def writes(self, request: ApiRequest, body: bytes) -> list[Write]:
        """What the call wrote to a replicated table; raises ValueError when it cannot be told."""
        operation = request.operation or ""
        if operation not in WRITES:
            return []
        written = ((self._tables.get(name), item) for name, item in touched(operation, body))
        return [
            _write(table, item)
            for table, item in written
            if table and request.region in table.sources
        ]

    async def copy(self, copies: list[Copy], wanted: Callable[[Copy], bool]) -> Collection[Copy]:
        """Copy items as they stand now; returns those that were not processed."""
        found, unread = await self._read(copies)
        rest = [copy for copy in copies if copy.write.identity not in unread and wanted(copy)]
        left = unread | await self._write(rest, found)
        return [copy for copy in copies if copy.write.identity in left]

    async def _read(self, copies: list[Copy]) -> tuple[dict[Identity, Any], set[Identity]]:
        """The items there are, and those that were not looked for."""
        table = self._tables[copies[0].write.name]
        asked = {"Keys": [copy.write.key for copy in copies], "ConsistentRead": True}
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
        """Write them; returns what was not written."""
        if not copies:
            return set()
        table = self._tables[copies[0].write.name]
        answer = await self._call(
            "dynamodb",
            copies[0].target,
            "batch_write_item",
            RequestItems={table.name: [_request(copy, found) for copy in copies]},
        )
        left = answer.get("UnprocessedItems", {}).get(table.name, [])
        return {identity(_attributes(request), table.key) for request in left}


def _write(table: Table, attributes: dict[str, Any]) -> Write:
    key = key_of(attributes, table.key)
    return Write(
        name=table.name,
        key=key,
        identity=identity(key, table.key),
        regions=table.regions,
        lag=table.lag,
    )


def _request(copy: Copy, found: dict[Any, Any]) -> dict[str, Any]:
    item = found.get(copy.write.identity)
    return {"PutRequest": {"Item": item}} if item else {"DeleteRequest": {"Key": copy.write.key}}


def _attributes(request: dict[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = (
        request["PutRequest"]["Item"]
        if "PutRequest" in request
        else request["DeleteRequest"]["Key"]
    )
    return attributes
