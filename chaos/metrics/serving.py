"""Metrics over HTTP while a run goes on; with a token when others can reach them."""

from __future__ import annotations

import contextlib
import hmac
import socket
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

from prometheus_client import CollectorRegistry, MetricsHandler

from chaos.errors import InvalidInput

LOOPBACK = "127.0.0.1"
# A reader that sends nothing is let go after so many seconds of the wall.
READER_TIMEOUT_S = 5


class _Server6(ThreadingHTTPServer):
    address_family = socket.AF_INET6


def _handler(registry: CollectorRegistry, token: str | None) -> type[MetricsHandler]:
    wanted = b"Bearer " + token.encode() if token else b""

    class Handler(MetricsHandler.factory(registry)):  # type: ignore[misc]  # made at run time
        timeout = READER_TIMEOUT_S

        def do_GET(self) -> None:  # noqa: N802  # the base class's
            shown = self.headers.get("Authorization", "").encode("latin-1", "replace")
            if not wanted or hmac.compare_digest(shown, wanted):
                super().do_GET()
                return
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Bearer")
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


@contextlib.contextmanager
def served(
    registry: CollectorRegistry, port: int, address: str = LOOPBACK, token: str | None = None
) -> Iterator[int]:
    """While it is entered, `/metrics` at that IP address gives the numbers; gives the port.

    Port 0 is any that is free. With a `token`, only who shows it gets them. Raises InvalidInput
    when the address or port cannot be had.
    """
    try:
        server = (_Server6 if ":" in address else ThreadingHTTPServer)(
            (address, port), _handler(registry, token)
        )
    except OSError as error:
        raise InvalidInput(
            f"metrics cannot be served on {address}:{port}: {error.strerror};"
            " choose another --metrics-port, or 0 for any that is free"
        ) from error
    # How often it looks whether it is to end, in seconds of the wall.
    thread = threading.Thread(
        target=server.serve_forever, args=(0.05,), name="metrics", daemon=True
    )
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
