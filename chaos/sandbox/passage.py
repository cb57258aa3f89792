"""Where the command's connections go: those that mean AWS to the API proxy, all others as they are.

Another's connection is made from the host's network. One to loopback stays inside if somebody
listens there, as test suites do; otherwise it goes to the host's loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct

from chaos.errors import EnvironmentFailed
from chaos.sandbox.authority import Authority
from chaos.sandbox.first_words import FirstWords, first_words
from chaos.sandbox.names import AWS_ADDRESS, is_aws
from chaos.sandbox.namespace import Namespace
from chaos.sandbox.relay import refuse_to_linger, relay

ORIGINAL = 80  # SO_ORIGINAL_DST
HTTP, HTTPS = 80, 443
# At these ports the client speaks first; who does not may mean something else.
FIRST_WORDS_WITHIN_S = 10.0
DIALLED_WITHIN_S = 60.0

Place = tuple[str, int]

log = logging.getLogger("chaos.exec")


class Passage:
    """Takes connections from inside. `untrusting` counts those whose TLS did not trust us."""

    def __init__(
        self, namespace: Namespace, authority: Authority, *, proxy: Place, emulator: Place
    ) -> None:
        self.untrusting = 0
        self._namespace = namespace
        self._authority = authority
        self._proxy = proxy
        self._emulator = emulator
        self._passing: set[asyncio.Task[None]] = set()

    async def serve(self, listener: socket.socket) -> None:
        """Take what comes until it is cancelled, which ends all that passes."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                sock, _ = await loop.sock_accept(listener)
                task = loop.create_task(self._take(sock))
                self._passing.add(task)
                task.add_done_callback(self._passing.discard)
        finally:
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)

    async def _take(self, sock: socket.socket) -> None:
        """One connection from its beginning to its end."""
        with sock:
            try:
                where, tls = await self._meant(sock)
                far = await self._dialled(where)
            except (OSError, TimeoutError, EnvironmentFailed) as error:
                log.debug("a connection was refused: %s", error)
                refuse_to_linger(sock)
                return
            with far:
                try:
                    await relay(sock, far, tls)
                except OSError as error:  # ssl.SSLError is one
                    log.debug("a connection did not come about: %s", error)
                    self.untrusting += tls is not None

    async def _meant(self, sock: socket.socket) -> tuple[Place, ssl.SSLContext | None]:
        """Where it shall go, and whether its TLS ends here; raises OSError where nobody listens."""
        sock.setblocking(False)
        where = original(sock)
        surely = where[0] == AWS_ADDRESS or where == self._emulator
        if not surely and where[1] not in (HTTP, HTTPS):
            return where, None
        if surely and where[1] not in (HTTP, HTTPS, self._emulator[1]):
            raise ConnectionRefusedError(where)
        words = await _first_words(sock)
        # A name of AWS may come without our DNS: from a cache, or from systemd-resolved.
        if not surely and not (words.host and is_aws(words.host)):
            return where, None
        return self._proxy, self._authority.context(words.host or where[0]) if words.tls else None

    async def _dialled(self, where: Place) -> socket.socket:
        """A connection to there; raises OSError, TimeoutError or EnvironmentFailed."""
        if where[0].startswith("127.") and where != self._proxy:
            with contextlib.suppress(OSError):
                return await dialled(await self._namespace.socket_inside(), where)
        try:
            return await dialled(socket.socket(), where)
        except ConnectionRefusedError:
            if where[0] != "127.0.0.1":
                raise
            return await dialled(socket.socket(socket.AF_INET6), ("::1", where[1]))


async def _first_words(sock: socket.socket) -> FirstWords:
    try:
        async with asyncio.timeout(FIRST_WORDS_WITHIN_S):
            return await first_words(sock)
    except TimeoutError:
        return FirstWords(None, tls=False)


async def dialled(sock: socket.socket, where: Place) -> socket.socket:
    """The socket once it is connected; otherwise it is closed. Raises OSError or TimeoutError."""
    sock.setblocking(False)
    try:
        async with asyncio.timeout(DIALLED_WITHIN_S):
            await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


def original(sock: socket.socket) -> Place:
    """Where the client wanted to go before it was redirected; raises OSError."""
    port, host = struct.unpack("!2xH4s8x", sock.getsockopt(socket.SOL_IP, ORIGINAL, 16))
    return socket.inet_ntoa(host), port
