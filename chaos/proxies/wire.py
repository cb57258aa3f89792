"""A TCP connection's transport, with the endings that asyncio lacks: reset and linger."""

from __future__ import annotations

import asyncio
import socket
import struct

from chaos.loops import speed_of

# Seconds of the wall for which a peer may go on sending after our last word.
LINGER_S = 2.0


class Wire:
    """One end of a connection. Nothing here raises when the connection is already gone."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None

    @property
    def buffered(self) -> int:
        """Bytes written that the kernel has not taken yet."""
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def read(self, wanted: bool) -> None:
        """Whether to read from the peer; while not, its end is not noticed either."""
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def close(self) -> None:
        """Send what is written, then FIN."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what is not sent yet is lost."""
        self._transport.abort()

    def reset(self) -> None:
        """Close at once with RST: what a client sees of a port where nothing listens."""
        sock: socket.socket = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def linger(self) -> None:
        """Send what is written, then FIN, but read on for LINGER_S seconds.

        Closing a socket with unread bytes resets the connection, and a reset can destroy what the
        peer has not read yet.
        """
        if not self._transport.is_closing():
            self._transport.write_eof()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LINGER_S * speed_of(loop), self._transport.close)

    def lost(self) -> None:
        """The connection has ended."""
        if self._timer:
            self._timer.cancel()
