"""Passes questions on to a resolver, and its answers back, byte for byte but for the id.

So any record type, EDNS option and DNSSEC record comes through unharmed. Nothing is cached.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.message
import dns.rcode

from chaos.loops import speed_of
from chaos.proxies.dns_wire import HEADER_BYTES, Reply, asked, failure, is_query, refusal, why

# Seconds of the wall for all upstreams together: less than the 5 s after which glibc asks again.
WITHIN_S = 4.0
# Of the 1,024 files that a process may have open where nobody has set another limit.
SOCKETS_MOST = 500
LARGEST = 65535
TRANSFERS = ("AXFR", "IXFR")
# With these an upstream says that it will not help; a stub asks its next server then.
HELPLESS = (dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED)

log = logging.getLogger("chaos.dns")


@dataclass(slots=True, eq=False)
class Upstream:
    """A resolver, how many questions it was asked, and how many it left without an answer."""

    host: str
    port: int
    asked: int = 0
    failed: int = 0
    problem: str = ""  # the last one
    silent: bool = False  # the last question had no answer

    @property
    def name(self) -> str:
        """`1.1.1.1:53`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def fails(self, problem: str) -> None:
        """One more question without an answer; what goes on failing is told once."""
        if not self.silent:
            log.warning("upstream %s: %s", self.name, problem)
        self.silent = True
        self.failed += 1
        self.problem = problem


class Forwarder:
    """Asks the upstreams in turn until one answers: by UDP what came by UDP, by TCP the rest.

    A truncated answer goes back as it is, and its client asks again by TCP, as clients do. When no
    upstream has answered within `within_s` seconds of the wall, shared by all, it is SERVFAIL.
    """

    def __init__(self, upstreams: Sequence[tuple[str, int]], *, within_s: float = WITHIN_S) -> None:
        self.upstreams = [Upstream(host, port) for host, port in upstreams]
        self._each_s = within_s / len(self.upstreams)
        self._turns = asyncio.Semaphore(SOCKETS_MOST)

    def respond(self, wire: bytes, *, udp: bool) -> Reply:
        """What is said to one message, or the promise of it."""
        if not is_query(wire):
            return None
        if wire[2] & 0x78:
            return refusal(wire, dns.rcode.NOTIMP)
        question = asked(wire)
        if question is None:
            return refusal(wire, dns.rcode.FORMERR)
        if question.type in TRANSFERS:  # answered by many messages
            return refusal(wire, dns.rcode.REFUSED)
        return self._ask(wire, wire[HEADER_BYTES : question.end], udp=udp)

    async def _ask(self, wire: bytes, question: bytes, *, udp: bool) -> bytes:
        last = None
        for upstream in self.upstreams:
            reply = await self._ask_one(upstream, wire, question, udp=udp)
            last = reply or last
            if reply and reply[3] & 0x0F not in HELPLESS:
                break
        return wire[:2] + last[2:] if last else _servfail(wire)

    async def _ask_one(
        self, upstream: Upstream, wire: bytes, question: bytes, *, udp: bool
    ) -> bytes | None:
        """The upstream's answer; None, and noted, where it gives none."""
        exchange = by_udp if udp else by_tcp
        # An id of our own, as the port is: what the client chose may be easy to guess.
        sent = secrets.token_bytes(2) + wire[2:]
        upstream.asked += 1
        try:
            async with asyncio.timeout(self._each_s * speed_of(asyncio.get_running_loop())):
                async with self._turns:
                    reply = await exchange((upstream.host, upstream.port), sent, question)
        except TimeoutError:
            upstream.fails(f"no answer within {self._each_s:g} s")
        except OSError as error:
            upstream.fails(why(error))
        except EOFError:
            upstream.fails("it closed the connection without an answer")
        else:
            upstream.silent = False
            return reply
        return None


async def by_udp(server: tuple[str, int], wire: bytes, question: bytes) -> bytes:
    """The answer to one datagram; waits without end. Raises OSError."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        # Connected: it hears of closed ports, and nothing from anybody else. Its port is random.
        sock.connect(server)
        sock.send(wire)
        while True:
            reply = await loop.sock_recv(sock, LARGEST)
            if answers(reply, wire, question):
                return reply


async def by_tcp(server: tuple[str, int], wire: bytes, question: bytes) -> bytes:
    """The answer over a connection of its own. Raises OSError or EOFError."""
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(wire).to_bytes(2) + wire)
        while True:
            size = int.from_bytes(await reader.readexactly(2))
            reply = await reader.readexactly(size)
            if answers(reply, wire, question):
                return reply
    finally:
        writer.transport.abort()


def answers(reply: bytes, wire: bytes, question: bytes) -> bool:
    """Whether it answers that very question; a complaint may come without the question."""
    if len(reply) < HEADER_BYTES or reply[:2] != wire[:2] or not reply[2] & 0x80:
        return False
    if reply[3] & 0x0F and reply[4:6] == bytes(2):
        return True
    return reply[HEADER_BYTES : HEADER_BYTES + len(question)].lower() == question.lower()


def _servfail(wire: bytes) -> bytes:
    try:
        query = cast("dns.message.QueryMessage", dns.message.from_wire(wire))
    except dns.exception.DNSException:
        return refusal(wire, dns.rcode.FORMERR)
    return failure(query, dns.rcode.SERVFAIL, recursive=True)
