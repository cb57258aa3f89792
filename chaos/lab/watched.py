"""Where the app `playback` keeps what profiles have watched: in a table, or in a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from chaos.lab import sdk
from chaos.lab.layers import layered
from chaos.lab.resources import Bucket, Table, bucket_in

if TYPE_CHECKING:
    from chaos.lab.instances import Instance

KNOWN = ("title", "position")
# The sort key of the one item that holds all that a profile has watched.
ALL = "all"
# How often a write to that item is tried again when another one came before it.
TRIES = 5


class History(Protocol):
    """What the profiles have watched; calls raise `sdk.FAILURES`."""

    def read(self, profile: str) -> dict[str, str]:
        """The profile's last title and position, empty for one that never watched."""

    def titles(self, profile: str) -> list[str]:
        """All that the profile has watched, the oldest first."""

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it."""


def history(instance: Instance) -> History:
    """Of the instance's service, in its own region, with what the service has put before it."""
    if instance.bucket is not None:
        return layered(InBucket(instance, instance.bucket), instance)
    assert instance.table is not None  # noqa: S101  # a declaration of this app has one of the two
    kept = InOneItem if instance.service.record == "whole" else InTable
    return layered(kept(instance, instance.table), instance)


class InTable:
    """An item for each time that a profile watched."""

    def __init__(self, instance: Instance, table: Table) -> None:
        self._name = instance.service.table
        self._table = table
        self._client: Any = sdk.client(instance, "dynamodb")

    def read(self, profile: str) -> dict[str, str]:
        """The profile's last title and position, empty for one that never watched."""
        answer = self._client.query(
            TableName=self._name,
            KeyConditionExpression="#key = :profile",
            ExpressionAttributeNames={"#key": self._table.key},
            ExpressionAttributeValues={":profile": {"S": profile}},
            ScanIndexForward=False,
            Limit=1,
        )
        item: dict[str, Any] = next(iter(answer["Items"]), {})
        return {name: item.get(name, {}).get("S", "") for name in KNOWN}

    def titles(self, profile: str) -> list[str]:
        """All that the profile has watched, the oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="#key = :profile",
            ExpressionAttributeNames={"#key": self._table.key},
            ExpressionAttributeValues={":profile": {"S": profile}},
            ConsistentRead=True,
        )
        return [item["title"]["S"] for page in pages for item in page["Items"]]

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it."""
        item = self._item(profile, datetime.now(UTC).isoformat(), title, position)
        self._client.put_item(TableName=self._name, Item=item)

    def _item(self, profile: str, watched: str, title: str, position: str) -> dict[str, Any]:
        names = (self._table.key, self._table.sort_key, *KNOWN)
        values = (profile, watched, title, position)
        return {name: {"S": value} for name, value in zip(names, values, strict=True)}


class InOneItem(InTable):
    """One item for all that a profile has watched, written anew as a whole each time.

    Two writers in one region do not overwrite each other, because a write that another one came
    before is done again; of two regions, the one that wrote last wins.
    """

    def titles(self, profile: str) -> list[str]:
        """All that the profile has watched, the oldest first."""
        return [title["S"] for title in self._found(profile).get("titles", {}).get("L", [])]

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it."""
        for left in reversed(range(TRIES)):
            try:
                self._replace(self._found(profile), profile, title, position)
            except sdk.FAILURES as error:
                if not left or not sdk.overtaken(error):
                    raise
            else:
                return

    def _found(self, profile: str) -> dict[str, Any]:
        key = {self._table.key: {"S": profile}, self._table.sort_key: {"S": ALL}}
        answer = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        item: dict[str, Any] = answer.get("Item", {})
        return item

    def _replace(self, before: dict[str, Any], profile: str, title: str, position: str) -> None:
        """Raises one of `sdk.FAILURES`, also when it is not as before any more."""
        titles, revision = before.get("titles", {"L": []})["L"], before.get("revision", {"N": "0"})
        self._client.put_item(
            TableName=self._name,
            Item={
                **self._item(profile, ALL, title, position),
                "titles": {"L": [*titles, {"S": title}]},
                "revision": {"N": str(int(revision["N"]) + 1)},
            },
            ConditionExpression="attribute_not_exists(revision) OR revision = :before",
            ExpressionAttributeValues={":before": revision},
        )


class InBucket:
    """An object for each profile, whose versions are its history."""

    def __init__(self, instance: Instance, bucket: Bucket) -> None:
        others = [region for region in bucket.regions if region != instance.region]
        self._name = instance.service.bucket or ""
        self._region = instance.region
        self._clients: dict[str, Any] = {
            region: sdk.client(instance, "s3", region)
            for region in (instance.region, *(others if instance.service.elsewhere else ()))
        }

    def read(self, profile: str) -> dict[str, str]:
        """The profile's last title and position, empty for one that never watched."""
        found = next(self._found(f"history/{quote(profile, safe='')}.json"), {})
        return {name: str(found.get(name, "")) for name in KNOWN}

    def titles(self, profile: str) -> list[str]:
        """What the profile has watched last: an object does not tell of what was before."""
        title = self.read(profile)["title"]
        return [title] if title else []

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it."""
        watched = datetime.now(UTC).isoformat()
        body = json.dumps({"watched": watched, "title": title, "position": position})
        self._clients[self._region].put_object(
            Bucket=bucket_in(self._region, self._name),
            Key=f"history/{quote(profile, safe='')}.json",
            Body=body.encode(),
        )

    def _found(self, key: str) -> Iterator[dict[str, Any]]:
        """The object as the regions have it, its own one first; nothing for those without it."""
        for region, client in self._clients.items():
            try:
                answer = client.get_object(Bucket=bucket_in(region, self._name), Key=key)
            except sdk.FAILURES as error:
                if not sdk.absent(error):
                    raise
            else:
                yield json.loads(answer["Body"].read())
