"""Names to addresses, as the workload's own resolver would give them: one query, one cache.

A probe has a cache of its own, because what a client believes about a name is what breaks or
makes a failover. Search domains and /etc/hosts are not consulted.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Literal

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from probes.hosts import WORDS, Server, Transport
from probes.probe import Family, ProbeFailed

Cache = Literal["ttl", "none", "forever"]

# What is asked for, one after the other, until there is an address.
ASKED = {"any": ("A", "AAAA"), "ipv4": ("A",), "ipv6": ("AAAA",)}
LOCALHOST = {"any": "127.0.0.1", "ipv4": "127.0.0.1", "ipv6": "::1"}


class Names:
    """A stub resolver that asks `server` (None: the first of the system's), and its cache.

    `cache` is how long an answer is believed: for its "ttl", not at all ("none"), or "forever":
    the first answer serves for the whole run, as in a JVM that caches without end. Refusals and
    failures are never kept. `family` is "ipv4" (A records), "ipv6" (AAAA), or "any": AAAA records
    are asked for only when a name has no A record, in a second query.
    """

    def __init__(
        self, server: Server | None = None, *, cache: Cache = "ttl", family: Family = "any"
    ) -> None:
        self._server = server
        self._cache = cache
        self._family = family
        self._known: dict[str, tuple[str, float]] = {}
        self._learned: dict[str, float] = {}  # when the answers in the cache came, loop time

    @property
    def server(self) -> Server:
        """The address and port of the server that is asked."""
        if self._server is None:
            self._server = _system_server()
        return self._server

    async def address(self, host: str) -> str:
        """The first address in the answer; raises ProbeFailed when there is none, or OSError."""
        host = host.rstrip(".").lower()
        if host == "localhost" or host.endswith(".localhost"):
            return LOCALHOST[self._family]  # RFC 6761, 6.3: never asked of a server
        loop = asyncio.get_running_loop()
        address, until = self._known.get(host, ("", 0.0))
        if address and loop.time() < until:
            return address
        address, ttl = await self._ask(host)
        if self._cache == "ttl":
            self._known[host], self._learned[host] = (address, loop.time() + ttl), loop.time()
        elif self._cache == "forever":
            # Of two attempts that asked at the same time the first answer stays.
            address, _ = self._known.setdefault(host, (address, float("inf")))
            self._learned.setdefault(host, loop.time())
        return address

    def learned(self, host: str) -> float | None:
        """When the answer in the cache came, loop time; None where none is kept."""
        return self._learned.get(host.rstrip(".").lower())

    async def _ask(self, host: str) -> tuple[str, int]:
        for rdtype in ASKED[self._family]:
            chain = await self._chain(host, rdtype)
            if chain.answer is not None:
                return chain.answer[0].to_text(), chain.minimum_ttl
        raise ProbeFailed(f"{host}: the DNS answer has no {WORDS[self._family]}address")

    async def _chain(self, host: str, rdtype: str) -> dns.message.ChainingResult:
        answer = await query(self.server, host, rdtype)
        if answer.flags & dns.flags.TC:
            answer = await query(self.server, host, rdtype, "tcp")
        if answer.rcode() != dns.rcode.NOERROR:
            raise ProbeFailed(f"{host}: {dns.rcode.to_text(answer.rcode())}")
        try:
            return answer.resolve_chaining()
        except dns.exception.DNSException as error:
            raise ProbeFailed(f"{host}: the DNS answer makes no sense: {error}") from error


async def query(
    server: Server, name: str, rdtype: str, transport: Transport = "udp"
) -> dns.message.QueryMessage:
    """One question to one server, and its answer, whatever its rcode; a truncated one too.

    Sends once and waits without end: the caller bounds it. Raises ProbeFailed when what comes
    back does not answer the question, OSError when the server cannot be reached.
    """
    try:
        question = dns.message.make_query(name, rdtype)
    except dns.exception.DNSException as error:
        raise ProbeFailed(f"{name!r} is no domain name: {error}") from error
    wire = await _exchange(server, question.to_wire(), transport)
    try:
        answer = dns.message.from_wire(wire)
    # Parsing garbage can raise almost anything, such as struct.error or UnicodeError.
    except Exception as error:
        raise ProbeFailed(f"the DNS answer cannot be read: {type(error).__name__}") from error
    if not isinstance(answer, dns.message.QueryMessage) or not question.is_response(answer):
        raise ProbeFailed("the DNS answer belongs to another question")
    return answer


async def _exchange(server: Server, wire: bytes, transport: Transport) -> bytes:
    loop = asyncio.get_running_loop()
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(family_of(server[0]), kind) as sock:
        sock.setblocking(False)
        # A connected UDP socket hears of closed ports, and nothing from third parties.
        await loop.sock_connect(sock, server)
        if transport == "udp":
            await loop.sock_sendall(sock, wire)
            return await loop.sock_recv(sock, 65535)
        await loop.sock_sendall(sock, len(wire).to_bytes(2, "big") + wire)
        length = int.from_bytes(await _exactly(sock, 2), "big")
        return await _exactly(sock, length)


async def _exactly(sock: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < count:
        more = await loop.sock_recv(sock, count - len(data))
        if not more:
            raise ProbeFailed("the DNS server closed the connection before it had answered")
        data += more
    return data


def family_of(address: str) -> socket.AddressFamily:
    """The socket family of a literal address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _system_server() -> Server:
    import dns.resolver

    try:
        system = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration as error:
        raise ProbeFailed("this machine has no DNS resolver configured") from error
    return str(system.nameservers[0]), system.port
