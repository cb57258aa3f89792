"""Documents as items of a DynamoDB table of their own, whose one key is the string `id`.

Writes are conditional, reads strongly consistent; DynamoDB encrypts every table at rest.
"""

from __future__ import annotations

import secrets
from typing import Any

from chaos.custody.location import Location
from chaos.custody.store import Calls, Document, Door, settled
from chaos.errors import CallFailed, InvalidInput

KEY = [{"AttributeName": "id", "KeyType": "HASH"}]


class TableStore:
    """A table."""

    def __init__(self, at: Location, call: Calls) -> None:
        self.url = at.url
        self._at = at
        self._dynamodb = Door(call, "dynamodb", at.region)
        self.clock = self._dynamodb.clock

    async def inspect(self) -> None:
        """Only a table of that shape, encrypted with the key that is asked for, will do."""
        table = (await self._dynamodb("describe_table", TableName=self._at.name))["Table"]
        if table["KeySchema"] != KEY:
            raise InvalidInput(
                f"the undo log {self.url} has another key than the string `id`, and no other"
                " will do; make a table for it alone"
            )
        key = table.get("SSEDescription", {}).get("KMSMasterKeyArn")
        if self._at.kms and key != self._at.kms:
            raise InvalidInput(
                f"the undo log {self.url} is encrypted with {key or 'a key of AWS'}, not with"
                f" {self._at.kms}; a table has its key from whoever made it"
            )

    async def write(self, key: str, text: str, over: str | None = None) -> str | None:
        """PutItem under a condition."""
        version = secrets.token_hex(8)
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}
        if over is not None:
            condition = {
                "ConditionExpression": "version = :over",
                "ExpressionAttributeValues": {":over": {"S": over}},
            }
        item = {"id": {"S": key}, "text": {"S": text}, "version": {"S": version}}
        try:
            await self._dynamodb("put_item", TableName=self._at.name, Item=item, **condition)
        except CallFailed as error:
            if error.code != "ConditionalCheckFailedException":
                raise
            return await settled(self, key, text)
        return version

    async def get(self, key: str) -> Document | None:
        """GetItem."""
        answer = await self._dynamodb(
            "get_item", TableName=self._at.name, Key={"id": {"S": key}}, ConsistentRead=True
        )
        item = answer.get("Item")
        if item is None:
            return None
        text, version = (item.get(name, {}).get("S", "") for name in ("text", "version"))
        return Document(text, version)

    async def remove(self, key: str) -> None:
        """DeleteItem."""
        await self._dynamodb("delete_item", TableName=self._at.name, Key={"id": {"S": key}})

    async def keys(self, prefix: str) -> list[str]:
        """Scan: the table holds what is under way, and no more."""
        keys: list[str] = []
        more: dict[str, Any] = {}
        while True:
            answer = await self._dynamodb(
                "scan",
                TableName=self._at.name,
                ProjectionExpression="id",
                FilterExpression="begins_with(id, :prefix)",
                ExpressionAttributeValues={":prefix": {"S": prefix}},
                ConsistentRead=True,
                **more,
            )
            keys += [item["id"]["S"] for item in answer.get("Items", ())]
            if not answer.get("LastEvaluatedKey"):
                return sorted(keys)
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
