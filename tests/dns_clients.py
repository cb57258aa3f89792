"""A DNS server under test, and clients that also send what a resolver never would."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import dns.asyncquery
import dns.message
import dns.rrset

from chaos.proxies.dns import DnsServer
from chaos.proxies.dns_answers import Answer, answered
from chaos.proxies.dns_faulty import Faulty
from chaos.proxies.dns_rules import DnsRules
from chaos.proxies.dns_wire import Respond

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
async def serving(answer: Answer, **limits: Any) -> AsyncIterator[int]:
    """The port of a server that says what a function of messages says."""
    async with responding(functools.partial(answered, answer), **limits) as port:
        yield port


@asynccontextmanager
async def responding(respond: Respond, **limits: Any) -> AsyncIterator[int]:
    """The port of a server that says what a function of bytes says."""
    server = DnsServer(respond, **limits)
    port = await server.start(HOST)
    try:
        async with asyncio.timeout(WITHIN):
            yield port
    finally:
        await server.stop()


@asynccontextmanager
async def faulty(
    *rules: dict[str, Any], recursive: bool = False, **limits: Any
) -> AsyncIterator[tuple[int, DnsRules]]:
    """The port of a server with these rules, by their numbers, which else gives one address."""
    put = DnsRules()
    for number, rule in enumerate(rules):
        put.put(str(number), rule)
    service = Faulty(functools.partial(answered, answer_with(1)), put, recursive=recursive)
    async with responding(service.respond, **limits) as port:
        yield port, put


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


async def until(happened: Callable[[], object]) -> None:
    """Give others their turns until it has happened."""
    for _ in range(2000):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it has not happened")
