"""A DNS server under test, and clients that also send what a resolver never would."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import dns.asyncquery
import dns.message
import dns.rrset

from chaos.proxies.dns import DnsServer

HOST = "127.0.0.1"
WITHIN = 20.0


def answer_with(count: int) -> Callable[[dns.message.QueryMessage], dns.message.Message]:
    """An answer of so many addresses, 16 bytes each on the wire."""

    def answer(query: dns.message.QueryMessage) -> dns.message.Message:
        response = dns.message.make_response(query)
        addresses = [f"127.1.1.{n}" for n in range(count)]
        response.answer.append(
            dns.rrset.from_text(query.question[0].name, 60, "IN", "A", *addresses)
        )
        return response

    return answer


@asynccontextmanager
async def serving(answer: Any, **limits: Any) -> AsyncIterator[int]:
    server = DnsServer(answer, **limits)
    port = await server.start(HOST)
    try:
        async with asyncio.timeout(WITHIN):
            yield port
    finally:
        await server.stop()


async def udp(port: int, query: dns.message.Message) -> dns.message.Message:
    return await dns.asyncquery.udp(query, HOST, WITHIN, port)


async def tcp(port: int, query: dns.message.Message) -> dns.message.Message:
    return await dns.asyncquery.tcp(query, HOST, WITHIN, port)


async def datagrams(port: int, *sent: bytes) -> bytes:
    """The first datagram that comes back after all these were sent."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((HOST, port))
        for data in sent:
            await loop.sock_sendall(sock, data)
        return await loop.sock_recv(sock, 65535)


def framed(wire: bytes) -> bytes:
    return len(wire).to_bytes(2) + wire


async def one_framed(reader: asyncio.StreamReader) -> dns.message.Message:
    size = int.from_bytes(await reader.readexactly(2))
    return dns.message.from_wire(await reader.readexactly(size))


@asynccontextmanager
async def connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
