"""One connection passed on, byte for byte, between the command and where it wants to go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import cast

# With it, closing a socket sends RST instead of FIN.
LINGER_0 = struct.pack("ii", 1, 0)


class End(asyncio.Protocol):
    """One of the two ends. What happens to it happens to the other."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.over = asyncio.get_running_loop().create_future()
        self.other: End
        self._early: list[bytes] = []  # said before the other end was there
        self._finished = False  # the peer has said all that it had to say

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        for data in self.other._early:
            self.transport.write(data)
        if self.other._finished:
            self.transport.write_eof()

    def data_received(self, data: bytes) -> None:
        if self.other.transport is None:
            self._early.append(data)
        else:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        self._finished = True
        if self.other.transport is None:
            return True
        if self.other._finished or not self.other.transport.can_write_eof():
            return False  # both are closed then; TLS cannot be closed by halves
        self.other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)
        if self.other.transport is None:
            return
        if exc is not None:
            reset(self.other.transport)
        elif not self.other.transport.is_closing():
            # A TLS transport that is closed twice fails at whatever is asked of it next.
            self.other.transport.close()


async def relay(near: socket.socket, far: socket.socket, tls: ssl.SSLContext | None) -> None:
    """Pass on what comes between two connected sockets until both are closed, as they are then.

    With `tls` the near one speaks it; raises OSError when no connection comes about.
    """
    loop = asyncio.get_running_loop()
    ends = End(), End()
    ends[0].other, ends[1].other = ends[1], ends[0]
    try:
        await loop.connect_accepted_socket(lambda: ends[0], near, ssl=tls)
        await loop.create_connection(lambda: ends[1], sock=far)
        await asyncio.gather(*(end.over for end in ends))
    finally:
        for end in ends:
            if end.transport is not None:
                end.transport.abort()


def reset(transport: asyncio.Transport) -> None:
    """Close it so that the peer gets RST."""
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):  # closed already
            refuse_to_linger(sock)
    transport.abort()


def refuse_to_linger(sock: socket.socket) -> None:
    """Its end will be an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
