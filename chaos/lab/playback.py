"""The app `playback` of the lab `streaming`: where did a profile stop watching?

It is the workload, not the tool: plain HTTP, and the AWS SDK as any app uses it.
What it needs of AWS it asks of its own region only.
"""

from __future__ import annotations

import functools
import json
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chaos.lab import app_server

if TYPE_CHECKING:
    from chaos.lab.instances import Instance


@functools.cache
def session() -> boto3.session.Session:
    """One for the process: what it has read of botocore's data serves the forks too."""
    return boto3.session.Session("lab", "lab")


class History:
    """What the profiles have watched, in the table of one region."""

    def __init__(self, instance: Instance) -> None:
        service, table = instance.service, instance.table
        assert table is not None  # noqa: S101  # no declaration of this app is without one
        timeout = service.aws_timeout / instance.speed
        config = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"total_max_attempts": 1},
            max_pool_connections=32,
        )
        self._table = service.table
        self._key, self._sort_key = table.key, table.sort_key
        self._client: Any = session().client(
            "dynamodb",
            region_name=instance.region,
            endpoint_url=instance.endpoint,
            config=config,
        )

    def read(self, profile: str) -> dict[str, str]:
        """The profile's last title and position, empty for one that never watched."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="#key = :profile",
            ExpressionAttributeNames={"#key": self._key},
            ExpressionAttributeValues={":profile": {"S": profile}},
            ScanIndexForward=False,
            Limit=1,
        )
        item: dict[str, Any] = next(iter(answer["Items"]), {})
        return {name: item.get(name, {}).get("S", "") for name in ("title", "position")}

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it."""
        watched = datetime.now(UTC).isoformat()
        values = {
            self._key: profile,
            self._sort_key: watched,
            "title": title,
            "position": position,
        }
        item = {name: {"S": value} for name, value in values.items()}
        self._client.put_item(TableName=self._table, Item=item)


class Server(app_server.Server):
    """GET /playback?profile=…, POST /history, GET /health."""

    def __init__(self, instance: Instance) -> None:
        self.history = History(instance)
        try:
            self.history.read("warm-up")
        except (BotoCoreError, ClientError) as error:
            # A region whose API is down boots its instances too; they answer 503.
            print(f"{instance.id}: no history yet: {error}", file=sys.stderr)
        super().__init__(instance, Handler)


class Handler(app_server.Handler):
    """Answers one connection."""

    server: Server

    def get(self, url: SplitResult) -> None:
        """Answer GET /playback."""
        if url.path == "/playback":
            profile = parse_qs(url.query).get("profile", ["kim"])[0]
            self._with_history(lambda: self.server.history.read(profile))
        else:
            super().get(url)

    def post(self, url: SplitResult, body: bytes) -> None:
        """Answer POST /history."""
        if url.path != "/history":
            self.answer(HTTPStatus.NOT_FOUND, {"error": "POST is for /history"})
            return
        try:
            given = json.loads(body)
            wanted = tuple(str(given[name]) for name in ("profile", "title", "position"))
        except (ValueError, KeyError, TypeError):
            wrong = "a JSON object with profile, title and position is wanted"
            self.answer(HTTPStatus.BAD_REQUEST, {"error": wrong})
            return
        self._with_history(lambda: self.server.history.write(*wanted))

    def _with_history(self, work: Any) -> None:
        try:
            found = work() or {}
        except (BotoCoreError, ClientError) as error:
            self.answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"no history: {error}"})
            return
        self.answer(HTTPStatus.OK, found)
