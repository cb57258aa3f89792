"""Both sides of the AWS API proxy in tests: raw ends of connections, or moto's server."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from chaos.loops import run_at, run_fast, speed_of
from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.exchange import Admin, Seen
from chaos.proxies.rules import Rules

T = TypeVar("T")

# Seconds of the wall that any test may take.
DEADLINE_S = 60.0

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /b/k HTTP/1.1\r\nHost: queue.example:1234\r\n\r\n"


def post(body: bytes, *headers: bytes, region: bytes = b"us-east-1") -> bytes:
    """A signed PutItem with that body."""
    return (
        b"POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\n"
        b"Authorization: AWS4-HMAC-SHA256 Credential=lab/20260101/%b/dynamodb/aws4_request,"
        b" SignedHeaders=host, Signature=0\r\nContent-Length: %d\r\n%b\r\n%b"
        % (region, len(body), b"".join(header + b"\r\n" for header in headers), body)
    )


def run(test: Coroutine[Any, Any, T], *, speed: float = 1.0, fast: bool = False) -> T:
    """Run a test on a loop at that speed, or on the fastest one, with a deadline."""

    async def bounded() -> T:
        async with asyncio.timeout(DEADLINE_S * speed_of(asyncio.get_running_loop())):
            return await test

    return run_fast(bounded()) if fast else run_at(speed, bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds; the test's deadline bounds it."""
    while not condition():  # noqa: ASYNC110  # there is no event to wait for
        await asyncio.sleep(0.001)


class End:
    """One end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def read(self, size: int) -> bytes:
        return await self.reader.readexactly(size)

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Everything until the connection ends."""
        return await self.reader.read()

    async def gone(self) -> bool:
        """Wait until the other end has gone, however it went."""
        try:
            return await self.reader.read() == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Go with RST."""
        no_linger = struct.pack("ii", 1, 0)
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        self.writer.transport.abort()


class Stand:
    """A proxy between clients and an upstream whose ends the test holds."""

    def __init__(self, proxy: ApiProxy, port: int, peers: asyncio.Queue[End]) -> None:
        self.proxy = proxy
        self.port = port
        self.peers = peers
        self.ends: list[End] = []

    async def client(self) -> End:
        """A new client's connection."""
        end = End(*await asyncio.open_connection("127.0.0.1", self.port, limit=2**24))
        self.ends.append(end)
        return end

    async def peer(self) -> End:
        """The upstream's end of the next connection that the proxy makes."""
        return await self.peers.get()


@asynccontextmanager
async def standing(
    rules: Rules | None = None,
    seen: Seen | None = None,
    *,
    admin: Admin | None = None,
    keeps_queues: bool = False,
) -> AsyncIterator[Stand]:
    """A proxy on a free port; everything is closed afterwards."""
    peers: asyncio.Queue[End] = asyncio.Queue()
    ends: list[End] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(End(reader, writer))
        peers.put_nowait(ends[-1])

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=2**24)
    upstream = server.sockets[0].getsockname()
    proxy = ApiProxy(upstream, rules, seen, admin=admin, keeps_queues=keeps_queues)
    stand = Stand(proxy, await proxy.start(), peers)
    try:
        yield stand
    finally:
        await proxy.stop()
        server.close()
        for end in (*ends, *stand.ends):
            end.writer.transport.abort()
        await asyncio.sleep(0)  # they are closed in the loop's next round


@contextmanager
def moto_server() -> Iterator[tuple[str, int]]:
    """A fresh moto server; yields its address."""
    from moto.moto_api._internal.models import moto_api_backend
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield server.get_host_and_port()
    finally:
        server.stop()
        if server._server:
            server._server.server_close()  # moto leaves its socket open
        moto_api_backend.reset()
