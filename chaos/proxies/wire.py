"""A TCP connection's transport, with the endings that asyncio lacks: reset and linger."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios

from chaos.loops import speed_of

# Seconds of the wall for which a peer may go on sending after our last word.
LINGER_S = 2.0
# Seconds of the wall in which a peer has to take what goes before a reset, and between two looks.
DELIVER_S = 30.0
LOOK_S = 0.01


class Wire:
    """One end of a connection. Nothing here raises when the connection is already gone."""

    __slots__ = ("_ended", "_reading", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._reading = True
        self._ended = False
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
        if wanted is self._reading or self._ended or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def ended(self) -> None:
        """The peer has said its last byte: there is nothing to read any more."""
        self._ended = True

    def say_end(self) -> None:
        """Send what is written, then FIN; the peer may still speak."""
        if not self._transport.is_closing():
            self._transport.write_eof()

    def close(self) -> None:
        """Send what is written, then FIN."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what is not sent yet is lost."""
        self._transport.abort()

    def reset(self) -> None:
        """Close at once with RST: what a client sees of a port where nothing listens."""
        if not self._transport.is_closing():
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def reset_when_sent(self) -> None:
        """RST behind the last byte: it would destroy what the peer's kernel does not have yet."""
        loop = asyncio.get_running_loop()
        self._reset_when_sent(loop.time() + DELIVER_S * speed_of(loop))

    def linger(self) -> None:
        """Send what is written, then FIN, but read on for LINGER_S seconds.

        Closing a socket with unread bytes resets the connection, and a reset can destroy what the
        peer has not read yet.
        """
        if self._ended:
            self._transport.close()
        elif not self._transport.is_closing():
            self.read(True)
            self._transport.write_eof()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LINGER_S * speed_of(loop), self._transport.close)

    def lost(self) -> None:
        """The connection has ended."""
        if self._timer:
            self._timer.cancel()

    @property
    def _socket(self) -> socket.socket:
        sock: socket.socket = self._transport.get_extra_info("socket")
        return sock

    def _reset_when_sent(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        if self._transport.is_closing() or loop.time() >= until or not self._undelivered():
            self.reset()
        else:
            look = LOOK_S * speed_of(loop)
            self._timer = loop.call_later(look, self._reset_when_sent, until)

    def _undelivered(self) -> int:
        """Bytes that wait here, or in the kernel for the peer's."""
        waiting = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        return self.buffered + int(struct.unpack("i", waiting)[0])
