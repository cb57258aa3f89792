"""A DNS server for tests, in the test's own loop, on UDP and TCP of one ephemeral port."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

import dns.message
import pytest

# What the server sends for a question that came over "udp" or "tcp"; None: nothing.
Answers = Callable[[dns.message.QueryMessage, str], bytes | None]
DnsServer = Callable[[Answers], AbstractAsyncContextManager[tuple[str, int]]]


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Before Python 3.12 the selector loop's transport does not say that it is one.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (wire := self._answers(_question(data), "udp")) is not None:
            self._transport.sendto(wire, addr)


def _question(wire: bytes) -> dns.message.QueryMessage:
    question = dns.message.from_wire(wire)
    assert isinstance(question, dns.message.QueryMessage)
    return question


@asynccontextmanager
async def _serving(answers: Answers) -> AsyncIterator[tuple[str, int]]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        wire = answers(_question(await reader.readexactly(length)), "tcp")
        if wire is not None:
            writer.write(len(wire).to_bytes(2, "big") + wire)
        writer.close()

    udp, tcp = _pair()
    server = await asyncio.start_server(handle, sock=tcp)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(answers), sock=udp)
    try:
        yield udp.getsockname()
    finally:
        transport.close()
        server.close()


def _pair() -> tuple[socket.socket, socket.socket]:
    """Sockets for UDP and TCP on the same free port."""
    for _ in range(50):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp.bind(("127.0.0.1", 0))
        try:
            tcp.bind(udp.getsockname())
        except OSError as error:
            udp.close()
            tcp.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return udp, tcp
    raise AssertionError("no port is free for both UDP and TCP")


@pytest.fixture
def dns_server() -> DnsServer:
    """Makes a context manager that serves `answers` and gives its address."""
    return _serving
