"""What the lab's apps have in common: HTTP on the instance's unix socket, JSON for answers."""

from __future__ import annotations

import contextlib
import http.server
import json
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from chaos.lab.instances import Instance

IDLE_S = 60.0  # seconds of the wall after which a silent connection is given up
LARGEST_BODY = 64 * 1024
WORKERS = {"home": 8}  # where a service does not say; the other apps have as many as come


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers on the instance's unix socket, a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, instance: Instance, handler: type[Handler]) -> None:
        self.instance = instance
        workers = instance.service.workers or WORKERS.get(instance.service.app)
        self.workers = threading.Semaphore(workers) if workers else None
        super().__init__(instance.socket, handler)

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """One of a limited number, as in any app server: who comes when all are busy, waits.

        It goes on when the client has given up meanwhile: nothing tells it so.
        """
        with self.workers or contextlib.nullcontext():
            time.sleep(self.instance.service.takes / self.instance.speed)
            yield

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none; anything else is told as usual."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /health: the process is up, which says nothing about what it needs. An app adds more."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: Server

    def do_GET(self) -> None:
        """Answer GET."""
        url = urlsplit(self.path)
        if url.path == "/health":
            self.answer(HTTPStatus.OK, {"status": "ok"})
        else:
            with self.server.worker():
                self.get(url)

    def get(self, url: SplitResult) -> None:
        """Answer GET of what is not the same for all apps."""
        self.answer(HTTPStatus.NOT_FOUND, {"error": f"nothing at {url.path}"})

    def do_POST(self) -> None:
        """Answer POST."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True  # what follows cannot be told from the next request
            self.answer(HTTPStatus.BAD_REQUEST, {"error": "a body of at most 64 KiB is wanted"})
            return
        body = self.rfile.read(int(length))
        with self.server.worker():
            self.post(urlsplit(self.path), body)

    def post(self, url: SplitResult, body: bytes) -> None:  # noqa: ARG002  # for apps that take one
        """Answer POST."""
        self.answer(HTTPStatus.NOT_FOUND, {"error": f"nothing to be sent to {url.path}"})

    def answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        """The whole answer: where it comes from, and `body`."""
        instance = self.server.instance
        where = {"region": instance.region, "zone": instance.zone, "instance": instance.id}
        data = json.dumps({**body, **where}).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Region", instance.region)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's word
        """Requests are counted where they are made."""
