"""A flag service in memory, as Acme's is on the wire: GET, PUT and DELETE /flags/NAME.

    python flag_service.py [PORT]

It begins with the flag `checkout` switched on, and prints its URL.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class FlagService(ThreadingHTTPServer):
    """The server, its flags, and how often each method was asked for."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.flags: dict[str, Any] = {"checkout": True}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FlagService

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.flags[self._flag] = json.loads(self.rfile.read(length))["value"]
        self._answer()

    def do_DELETE(self) -> None:
        self.server.flags.pop(self._flag, None)
        self._answer()

    @property
    def _flag(self) -> str:
        return self.path.removeprefix("/flags/")

    def _answer(self) -> None:
        self.server.asked.append(self.command)
        known = self._flag in self.server.flags
        body = json.dumps({"value": self.server.flags.get(self._flag)}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[FlagService]:
    """A flag service in a thread of this process."""
    with FlagService() as service:
        Thread(target=service.serve_forever, daemon=True).start()
        yield service
        service.shutdown()


if __name__ == "__main__":
    alone = FlagService(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(alone.url, flush=True)
    alone.serve_forever()
