"""The app `playback` of the labs `streaming` and `streaming-s3`: where did a profile stop watching?

It is the workload, not the tool: plain HTTP, and the AWS SDK as any app uses it.
What it needs of AWS it asks of its own region only, unless its service says `elsewhere`.
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs

from chaos.lab import app_server, sdk, watched

if TYPE_CHECKING:
    from chaos.lab.instances import Instance


class Server(app_server.Server):
    """GET /playback?profile=…, GET /history?profile=…, POST /history, GET /health."""

    def __init__(self, instance: Instance) -> None:
        self.history = watched.history(instance)
        try:
            self.history.read("warm-up")
        except sdk.FAILURES as error:
            # A region whose API is down boots its instances too; they answer 503.
            print(f"{instance.id}: no history yet: {error}", file=sys.stderr)
        super().__init__(instance, Handler)


class Handler(app_server.Handler):
    """Answers one connection."""

    server: Server

    def get(self, url: SplitResult) -> None:
        """Answer GET /playback and GET /history."""
        profile = parse_qs(url.query).get("profile", ["kim"])[0]
        if url.path == "/playback":
            self._with_history(lambda: self.server.history.read(profile))
        elif url.path == "/history":
            self._with_history(lambda: {"titles": self.server.history.titles(profile)})
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
        except sdk.FAILURES as error:
            self.answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"no history: {error}"})
            return
        self.answer(HTTPStatus.OK, found)
