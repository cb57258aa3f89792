"""DynamoDB in three regions, as far as replication uses it, with faults of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from chaos.errors import CallFailed
from chaos.lab.dynamodb_keys import Identity, identity
from chaos.lab.dynamodb_replication import Table, Tables
from chaos.lab.replication import Replication
from chaos.proxies.request import ApiRequest

EAST, WEST, EU = "us-east-1", "us-west-2", "eu-west-1"
ALL = (EAST, WEST, EU)
TABLE = Table(name="history", key=("id",), regions=ALL, sources=ALL, lag=1.0)
Item = dict[str, Any]


class FakeDynamoDB:
    """Tables in three regions, and the calls that came; `seconds` is how long each takes."""

    def __init__(self) -> None:
        self.items: dict[str, dict[Identity, Item]] = {EAST: {}, WEST: {}, EU: {}}
        self.calls: list[tuple[float, str, str, int]] = []
        self.seconds = 0.0
        self.fail: Callable[[str], bool] = lambda _region: False
        self.unprocessed = 0  # how many of the next batch are left
        self.replication = Replication([Tables([TABLE], self.call)])

    async def call(self, service: str, region: str, operation: str, /, **params: Any) -> Any:
        """What replication calls."""
        [(table, asked)] = params["RequestItems"].items()
        assert (service, table) == ("dynamodb", "history")
        wanted = asked["Keys"] if operation == "batch_get_item" else asked
        now = asyncio.get_running_loop().time()
        self.calls.append((now, region, operation, len(wanted)))
        await asyncio.sleep(self.seconds)
        if self.fail(region):
            raise CallFailed(f"dynamodb {operation} in {region}", "Broken", "out of order")
        left, wanted = wanted[: self.unprocessed], wanted[self.unprocessed :]
        self.unprocessed = 0
        return getattr(self, f"_{operation}")(region, wanted, left)

    def _batch_get_item(self, region: str, keys: list[Item], left: list[Item]) -> Any:
        found = [self.items[region].get(identity(key, TABLE.key)) for key in keys]
        unread = {"history": {"Keys": left}} if left else {}
        return {"Responses": {"history": [i for i in found if i]}, "UnprocessedKeys": unread}

    def _batch_write_item(self, region: str, requests: list[Item], left: list[Item]) -> Any:
        assert len(requests) <= 25
        for request in requests:
            if "PutRequest" in request:
                self._store(region, request["PutRequest"]["Item"])
            else:
                self.items[region].pop(identity(request["DeleteRequest"]["Key"], TABLE.key), None)
        return {"UnprocessedItems": {"history": left} if left else {}}

    def _store(self, region: str, item: Item) -> None:
        self.items[region][identity(item, TABLE.key)] = item

    def put(self, region: str, key: str, value: str) -> None:
        """A client's write, as the proxy would tell of it."""
        item = {"id": {"S": key}, "value": {"S": value}}
        self._store(region, item)
        self.tell(region, "PutItem", {"TableName": "history", "Item": item})

    def delete(self, region: str, key: str) -> None:
        self.items[region].pop((("S", key),), None)
        self.tell(region, "DeleteItem", {"TableName": "history", "Key": {"id": {"S": key}}})

    def tell(self, region: str | None, operation: str, body: Any, status: int = 200) -> None:
        request = ApiRequest(region=region, service="dynamodb", operation=operation)
        self.replication.seen(request, json.dumps(body).encode(), status)

    def values(self, region: str) -> dict[str, str]:
        return {i["id"]["S"]: i["value"]["S"] for i in self.items[region].values()}
