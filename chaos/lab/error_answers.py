"""A tiny HTTP/1.1 server for a link that fails: every request gets one status, and then FIN."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Callable

LONGEST_HEAD = 64 * 1024  # more is answered as it is


class ErrorAnswer(asyncio.Protocol):
    """Answers one request when its head is there; what comes after it is read and thrown away.

    Closing with something unread would reset the connection, and could destroy the answer.
    """

    def __init__(self, status: int, answered: Callable[[], None]) -> None:
        self._status = status
        self._answered = answered
        self._head = b""
        self._said = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a stream's always is
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._said:
            return
        self._head += data
        if b"\r\n\r\n" in self._head or len(self._head) > LONGEST_HEAD:
            self._said = True
            self._answered()
            self._transport.write(answer(self._status, bodiless=self._head.startswith(b"HEAD ")))
            self._transport.write_eof()


def answer(status: int, *, bodiless: bool = False) -> bytes:
    """The whole answer; one to HEAD has no body."""
    reason = http.client.responses.get(status, "Error")
    body = json.dumps({"error": f"{status} {reason}"}).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if bodiless else body)


async def connect(
    far: Callable[[], asyncio.Protocol], status: int, answered: Callable[[], None]
) -> None:
    """Put such a server at the other end of a connection."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    await loop.connect_accepted_socket(lambda: ErrorAnswer(status, answered), ours)
    await loop.connect_accepted_socket(far, theirs)
