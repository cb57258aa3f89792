"""Where the app `playback` keeps what profiles have watched: in a table, or in a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from chaos.lab import sdk
from chaos.lab.resources import Bucket, Table, bucket_in

if TYPE_CHECKING:
    from chaos.lab.instances import Instance

KNOWN = ("title", "position")


class History(Protocol):
    """What the profiles have watched; calls raise `sdk.FAILURES`."""

    def read(self, profile: str) -> dict[str, str]:
        """The profile's last title and position, empty for one that never watched."""

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it."""


def history(instance: Instance) -> History:
    """Of the instance's service, in its own region."""
    if instance.bucket is not None:
        return InBucket(instance, instance.bucket)
    assert instance.table is not None  # noqa: S101  # a declaration of this app has one of the two
    return InTable(instance, instance.table)


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

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it."""
        watched = datetime.now(UTC).isoformat()
        values = {
            self._table.key: profile,
            self._table.sort_key: watched,
            "title": title,
            "position": position,
        }
        item = {name: {"S": value} for name, value in values.items()}
        self._client.put_item(TableName=self._name, Item=item)


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
