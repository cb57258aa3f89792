"""A DNS server on one port, UDP and TCP; what it says is a function it is given.

It owns the sockets: order, pipelining, deadlines, limits. No message can end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import logging
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from chaos.errors import EnvironmentFailed
from chaos.proxies.dns_tcp import Connection
from chaos.proxies.dns_wire import Respond, why

# A port that is free for TCP may be taken for UDP; so many ephemeral ones are tried.
PAIRS_TRIED = 32
# Datagrams that are read in a row before others get their turn: a look at the loop for each one
# costs three times what answering it does.
AT_ONCE = 64
LARGEST = 65535

log = logging.getLogger("chaos.dns")


class DnsServer:
    """Answers each message as `respond` says.

    A TCP connection is closed after `idle_s` seconds of the wall without a whole message; more
    than `connections` at a time are turned away. Of answers that come later at most `waiting` are
    awaited at a time; beyond that, questions are lost, as they are where a server is overrun.
    Who is not `allowed`, by address, gets no answer.
    """

    def __init__(
        self,
        respond: Respond,
        *,
        idle_s: float = 10.0,
        connections: int = 128,
        waiting: int = 10_000,
        allowed: Callable[[str], bool] | None = None,
    ) -> None:
        self.idle_s = idle_s
        self.connections = connections
        self.waiting = waiting
        self.allowed = allowed
        self.open: set[Connection] = set()
        self._respond = respond
        self._later: set[asyncio.Task[None]] = set()
        self._tcp: asyncio.Server | None = None
        self._udp: _Udp | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen and return the port, an ephemeral one for 0; raises EnvironmentFailed."""
        for _ in range(1 if port else PAIRS_TRIED):
            try:
                return await self._listen(host, port)
            except OSError as error:
                problem = error
                if error.errno != errno.EADDRINUSE:
                    break
        raise EnvironmentFailed(
            f"the DNS server cannot listen on {host} port {port}: {why(problem)};"
            " give another port, or 0 for any that is free"
        ) from problem

    async def start_on(self, tcp: socket.socket, udp: socket.socket) -> None:
        """Answer on two bound sockets that do not block, made in another namespace for example."""
        loop = asyncio.get_running_loop()
        self._tcp = await loop.create_server(lambda: Connection(self), sock=tcp)
        self._udp = _Udp(self, udp)

    async def stop(self) -> None:
        """Close both sockets and every connection; nothing is answered afterwards."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for connection in list(self.open):
            connection.transport.abort()
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        if self._tcp is not None:
            await self._tcp.wait_closed()

    async def _listen(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        tcp = await loop.create_server(lambda: Connection(self), host, port)
        bound: int = tcp.sockets[0].getsockname()[1]
        try:
            self._udp = _Udp(self, _datagrams(host, bound))
        except OSError:
            tcp.close()
            raise
        self._tcp = tcp
        return bound

    def take(
        self, wire: bytes, send: Callable[[bytes], None], *, udp: bool
    ) -> asyncio.Task[None] | None:
        """Answer one message by `send`, at once or at the end of the task that comes back."""
        reply = self._respond(wire, udp=udp)
        if isinstance(reply, bytes):
            send(reply)
        elif reply is not None:
            return self._send_later(reply, send)
        return None

    def _send_later(
        self, coming: Coroutine[Any, Any, bytes | None], send: Callable[[bytes], None]
    ) -> asyncio.Task[None] | None:
        if len(self._later) >= self.waiting:
            coming.close()
            return None
        task = asyncio.get_running_loop().create_task(_send(coming, send))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return task


async def _send(coming: Coroutine[Any, Any, bytes | None], send: Callable[[bytes], None]) -> None:
    try:
        reply = await coming
    except Exception:  # a defect: it costs this answer, and no other
        log.exception("no answer")
        return
    if reply is not None:
        send(reply)


class _Udp:
    """One socket, read until it is empty each time it has something."""

    def __init__(self, server: DnsServer, sock: socket.socket) -> None:
        self.sock = sock
        self._server = server
        asyncio.get_running_loop().add_reader(sock, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.sock)
        self.sock.close()

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            try:
                wire, peer = self.sock.recvfrom(LARGEST)
            except OSError:  # empty, or the complaint of a client's machine
                return
            if self._server.allowed and not self._server.allowed(peer[0]):
                continue
            self._server.take(wire, functools.partial(self._send, peer), udp=True)

    def _send(self, peer: Any, reply: bytes) -> None:
        # UDP may lose answers; a queue without end may not be.
        with contextlib.suppress(OSError):
            self.sock.sendto(reply, peer)


def _datagrams(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
