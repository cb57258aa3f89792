"""The app that an instance of the lab `streaming` runs: where did a profile stop watching?

It is the workload, not the tool: plain HTTP on a unix socket, and the AWS SDK as any app uses it.
What it needs of AWS it asks of its own region only.
"""

from __future__ import annotations

import functools
import http.server
import json
import socketserver
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from chaos.lab.instances import Instance

IDLE_S = 60.0  # seconds of the wall after which a silent connection is given up
LARGEST_BODY = 64 * 1024


@functools.cache
def session() -> boto3.session.Session:
    """One for the process: what it has read of botocore's data serves the forks too."""
    return boto3.session.Session("lab", "lab")


class History:
    """What the profiles have watched, in the table of one region."""

    def __init__(self, instance: Instance) -> None:
        timeout = instance.aws_timeout / instance.speed
        config = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"total_max_attempts": 1},
            max_pool_connections=32,
        )
        self._table = instance.table
        self._key, self._sort_key = instance.key, instance.sort_key
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


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers on the instance's unix socket, a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.history = History(instance)
        try:
            self.history.read("warm-up")
        except (BotoCoreError, ClientError) as error:
            # A region whose API is down boots its instances too; they answer 503.
            print(f"{instance.id}: no history yet: {error}", file=sys.stderr)
        super().__init__(instance.socket, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none; anything else is told as usual."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /playback?profile=…, POST /history, GET /health."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: Server

    def do_GET(self) -> None:
        """Answer GET."""
        url = urlsplit(self.path)
        match url.path:
            case "/health":  # shallow: says that the process is up, nothing about AWS
                self._answer(HTTPStatus.OK, {"status": "ok"})
            case "/playback":
                profile = parse_qs(url.query).get("profile", ["kim"])[0]
                self._with_history(lambda: self.server.history.read(profile))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, {"error": f"nothing at {url.path}"})

    def do_POST(self) -> None:
        """Answer POST."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True  # what follows cannot be told from the next request
            self._answer(HTTPStatus.BAD_REQUEST, {"error": "a body of at most 64 KiB is wanted"})
            return
        body = self.rfile.read(int(length))
        if urlsplit(self.path).path != "/history":
            self._answer(HTTPStatus.NOT_FOUND, {"error": "POST is for /history"})
            return
        try:
            given = json.loads(body)
            wanted = tuple(str(given[name]) for name in ("profile", "title", "position"))
        except (ValueError, KeyError, TypeError):
            wrong = "a JSON object with profile, title and position is wanted"
            self._answer(HTTPStatus.BAD_REQUEST, {"error": wrong})
            return
        self._with_history(lambda: self.server.history.write(*wanted))

    def _with_history(self, work: Any) -> None:
        try:
            found = work() or {}
        except (BotoCoreError, ClientError) as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"no history: {error}"})
            return
        self._answer(HTTPStatus.OK, found)

    def _answer(self, status: HTTPStatus, body: dict[str, str]) -> None:
        instance = self.server.instance
        where = {"region": instance.region, "zone": instance.zone, "instance": instance.id}
        data = json.dumps({**where, **body}).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Region", instance.region)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's word
        """Requests are counted where they are made."""
