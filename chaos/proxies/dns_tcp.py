"""DNS over TCP: messages with their length before them, many on one connection (RFC 7766)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from chaos.loops import speed_of
from chaos.proxies.dns_wire import HEADER_BYTES

# Answers that one connection waits for; RFC 7766 lets a server bound them (6.2.1.1).
PROMISED_MOST = 100


class Server(Protocol):
    """What a connection asks of its server."""

    idle_s: float
    connections: int
    open: set[Connection]
    allowed: Callable[[str], bool] | None

    def take(
        self, wire: bytes, send: Callable[[bytes], None], *, udp: bool
    ) -> asyncio.Task[None] | None: ...


class Connection(asyncio.Protocol):
    """One client's. Each answer is sent when it is there: a slow one does not hold up the next."""

    def __init__(self, server: Server) -> None:
        self.transport: asyncio.Transport
        self._server = server
        self._unread = bytearray()
        self._promised = 0
        self._full = False
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        full = len(self._server.open) >= self._server.connections
        if full or not self._may_ask():
            self.transport.abort()
            return
        self._server.open.add(self)
        self._wait()

    def _may_ask(self) -> bool:
        allowed = self._server.allowed
        return allowed is None or allowed(self.transport.get_extra_info("peername")[0])

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._work()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._work()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._server.open.discard(self)
        if self._idle is not None:
            self._idle.cancel()

    @property
    def _busy(self) -> bool:
        """Whether it is not read: its answers are not, or too many are still to come."""
        return self._full or self._promised >= PROMISED_MOST

    def _work(self) -> None:
        while not self._busy and not self.transport.is_closing() and (wire := self._next()):
            self._wait()
            if coming := self._server.take(wire, self._send, udp=False):
                self._promised += 1
                coming.add_done_callback(self._kept)
        if self._busy:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _next(self) -> bytes | None:
        """The next whole message, taken from what was read."""
        if len(self._unread) < 2:
            return None
        end = 2 + int.from_bytes(self._unread[:2])
        if end < 2 + HEADER_BYTES:
            self.transport.close()  # no DNS message: whatever follows cannot be framed
            return None
        if len(self._unread) < end:
            return None
        wire = bytes(self._unread[2:end])
        del self._unread[:end]
        return wire

    def _send(self, reply: bytes) -> None:
        if not self.transport.is_closing():  # who has gone needs no answer
            self.transport.write(len(reply).to_bytes(2) + reply)

    def _kept(self, _task: asyncio.Task[None]) -> None:
        self._promised -= 1
        self._work()

    def _wait(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._server.idle_s * speed_of(loop), self._is_idle)

    def _is_idle(self) -> None:
        if self._promised:
            self._wait()  # it is the server that is slow
        else:
            self.transport.abort()
