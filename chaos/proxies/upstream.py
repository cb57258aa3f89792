"""The proxy's own connection to the AWS API: one for each client connection, one call at a time.

A call is sent once. When a connection that was kept alive turns out to be dead, its call may have
been executed or not, which only the client can judge: it is told 502, which every SDK tries again
where that is safe. A connection that is known to be dead is replaced before anything is sent.
"""

from __future__ import annotations

import asyncio
import os
from typing import Protocol

from chaos.loops import speed_of
from chaos.proxies.bodies import Body, Malformed
from chaos.proxies.framing import end_of_head, parse_response, response_body
from chaos.proxies.whole import WholeResponses
from chaos.proxies.wire import Wire

# The method of a call that was sent whole: any but HEAD.
ANY = b""
# Seconds of the wall.
DIAL_WITHIN_S = 5.0


class Unreachable(Exception):
    """There is no connection to the AWS API; the message says why."""


class Client(Protocol):
    """Who asked: told of everything that comes back."""

    def response_begins(self, status: int, size: int) -> None:
        """The head of the final response has come: `size` bytes, which follow through `relay`."""

    def answered(self, data: bytes) -> None:
        """A call that was made by `ask` has this response."""

    def relay(self, data: bytes) -> None:
        """Bytes of the response, as they came."""

    def response_ended(self, last: bool) -> None:
        """The response is complete; `last` when it was announced as the connection's last."""

    def upstream_full(self, full: bool) -> None:
        """Whether the connection takes no more for now."""

    def upstream_lost(self, why: str) -> None:
        """The connection is gone; nothing follows."""


async def dial(client: Client, address: tuple[str, int]) -> Upstream:
    """Connect to the AWS API on behalf of a client; raises Unreachable."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(DIAL_WITHIN_S * speed_of(loop)):
            _, upstream = await loop.create_connection(lambda: Upstream(client), *address)
    except OSError as error:  # TimeoutError is one, without a number
        why = os.strerror(error.errno) if error.errno else "no answer"
        raise Unreachable(f"cannot be reached: {why}") from error
    if not upstream.alive:
        raise Unreachable("closed the connection at once")
    return upstream


class Upstream(asyncio.Protocol):
    """Sends what it is given and finds the end of each response."""

    def __init__(self, client: Client) -> None:
        self._client: Client | None = client
        self._wire: Wire
        self._inbox = b""  # the beginning of a head
        self._method: bytes | None = None  # of the call that waits for its response
        self._body: Body | None = None
        self._last = False
        self._whole = WholeResponses()

    @property
    def alive(self) -> bool:
        """Whether the connection stands."""
        return self._client is not None

    @property
    def buffered(self) -> int:
        """Bytes held, in both directions."""
        return len(self._inbox) + self._wire.buffered

    def ask(self, data: bytes) -> None:
        """Pass on a whole request, but no HEAD, that nobody looks into."""
        self._method = ANY
        self._wire.write(data)

    def expect(self, method: bytes) -> None:
        """A request with that method is about to be sent."""
        self._method = method

    def send(self, data: bytes) -> None:
        """Pass on bytes of the request."""
        self._wire.write(data)

    def say_end(self) -> None:
        """Pass on that the client has said its last byte."""
        self._wire.say_end()

    def read(self, wanted: bool) -> None:
        """Whether to read on: not while the client does not keep up."""
        self._wire.read(wanted)

    def drop(self) -> None:
        """Close at once and say nothing more to the client."""
        self._client = None
        self._wire.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream's
        self._wire = Wire(transport)

    def data_received(self, data: bytes) -> None:
        if (
            self._method is ANY
            and self._client
            and not (self._body or self._inbox)
            and self._whole.holds(data)
        ):
            self._method = None
            self._client.answered(data)
            return
        try:
            while data and self._client:
                data = self._read(self._client, data)
        except Malformed as error:
            self._lose(f"answered with what is no HTTP response: {error}")

    def connection_lost(self, error: Exception | None) -> None:
        self._lose("reset the connection" if error else "closed the connection without an answer")

    def pause_writing(self) -> None:
        if self._client:
            self._client.upstream_full(True)

    def resume_writing(self) -> None:
        if self._client:
            self._client.upstream_full(False)

    def _lose(self, why: str) -> None:
        client, self._client = self._client, None
        self._wire.abort()
        if client:
            client.upstream_lost(why)

    def _read(self, client: Client, data: bytes) -> bytes:
        """Take one step; returns the bytes that are left."""
        if self._method is None:
            raise Malformed("more than was asked for")
        if self._body is None:
            return self._read_head(client, self._method, self._inbox + data)
        return self._read_body(client, self._body, data)

    def _read_head(self, client: Client, method: bytes, data: bytes) -> bytes:
        """Pass a head on once it is whole, with what there is of its body."""
        end = end_of_head(data)
        if end < 0:
            self._inbox = data
            return b""
        self._inbox = b""
        head = parse_response(data[:end])
        if head.status == 101:
            raise Malformed("a change of protocol")
        if head.status < 200:  # such as 100 Continue: the final response follows
            client.relay(data[:end])
            return data[end:]
        self._body, self._last = response_body(head, method), head.last
        client.response_begins(head.status, end)
        # The client may be done with this connection by now.
        return self._read_body(client, self._body, data, end) if self._client else b""

    def _read_body(self, client: Client, body: Body, data: bytes, start: int = 0) -> bytes:
        used = start + body.take(data[start:])
        client.relay(data[:used])
        if body.done and self._client:
            if used < len(data):
                raise Malformed("more than was asked for")
            self._method = self._body = None
            client.response_ended(self._last)
        return data[used:]
