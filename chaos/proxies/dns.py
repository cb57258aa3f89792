"""A DNS server on one port, UDP and TCP; what it says is a function it is given.

It owns the wire: garbage, sizes, truncation, pipelining, deadlines, limits. No message can end it.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from typing import Any, cast

import dns.exception
import dns.message
import dns.rcode

from chaos.errors import EnvironmentFailed
from chaos.loops import speed_of

# An answer to a question, or None where the server is to stay silent.
Answer = Callable[[dns.message.QueryMessage], dns.message.Message | None]

# What fits in any network's packet without fragments. Source: DNS Flag Day 2020.
UDP_PAYLOAD = 1232
HEADER_BYTES = 12  # RFC 1035, 4.1.1
PLAIN_UDP_BYTES = 512  # RFC 1035, 4.2.1: the most for a client that says nothing of its own
LARGEST_BYTES = 65535
# A port that is free for TCP may be taken for UDP; so many ephemeral ones are tried.
PAIRS_TRIED = 32

log = logging.getLogger("chaos.dns")


class DnsServer:
    """Answers each question with `answer`; an answer that raises is logged and SERVFAIL.

    A TCP connection is closed after `idle_s` seconds of the wall without a whole message; more
    than `connections` at a time are turned away.
    """

    def __init__(self, answer: Answer, *, idle_s: float = 10.0, connections: int = 128) -> None:
        self.idle_s = idle_s
        self.connections = connections
        self.open: set[_Tcp] = set()
        self._answer = answer
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
            f"the DNS server cannot listen on {host} port {port}: {_why(problem)};"
            " give another port, or 0 for any that is free"
        ) from problem

    async def stop(self) -> None:
        """Close both sockets and every connection; nothing is answered afterwards."""
        if self._udp is not None:
            self._udp.transport.close()
            await self._udp.closed
        if self._tcp is not None:
            self._tcp.close()
            for connection in list(self.open):
                connection.transport.abort()
            await self._tcp.wait_closed()

    async def _listen(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        tcp = await loop.create_server(lambda: _Tcp(self), host, port)
        bound: int = tcp.sockets[0].getsockname()[1]
        try:
            _, self._udp = await loop.create_datagram_endpoint(
                lambda: _Udp(self), local_addr=(host, bound)
            )
        except OSError:
            tcp.close()
            raise
        self._tcp = tcp
        return bound

    def respond(self, wire: bytes, *, udp: bool) -> bytes | None:
        """The answer to one message as bytes, or None where silence is right."""
        if len(wire) < HEADER_BYTES or wire[2] & 0x80:
            return None  # too short to answer; or itself an answer, which must start no echo
        if wire[2] & 0x78:
            return _refusal(wire, dns.rcode.NOTIMP)
        try:
            query = cast("dns.message.QueryMessage", dns.message.from_wire(wire))
        except dns.exception.DNSException:
            return _refusal(wire, dns.rcode.FORMERR)
        if len(query.question) != 1:
            return _refusal(wire, dns.rcode.FORMERR)
        if query.edns > 0:
            return _failure(query, dns.rcode.BADVERS)
        return self._answered(query, udp=udp)

    def _answered(self, query: dns.message.QueryMessage, *, udp: bool) -> bytes | None:
        most = max(PLAIN_UDP_BYTES, min(query.payload, UDP_PAYLOAD)) if udp else LARGEST_BYTES
        try:
            answer = self._answer(query)
            if answer is None:
                return None
            return answer.to_wire(max_size=most, prefer_truncation=udp)
        except Exception:  # whatever is wrong with one answer, the next question gets its own
            log.exception("no answer to %s", query.question[0])
            return _failure(query, dns.rcode.SERVFAIL)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.DatagramTransport
        self._server = server
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        reply = self._server.respond(data, udp=True)
        if reply is not None and not self._full:
            self.transport.sendto(reply, addr)

    def pause_writing(self) -> None:
        self._full = True  # UDP may lose answers; a queue without end may not be

    def resume_writing(self) -> None:
        self._full = False

    def connection_lost(self, _exc: Exception | None) -> None:
        self.closed.set_result(None)


class _Tcp(asyncio.Protocol):
    """One connection: messages with their length before them, answered in order (RFC 7766)."""

    def __init__(self, server: DnsServer) -> None:
        self.transport: asyncio.Transport
        self._server = server
        self._unread = bytearray()
        self._full = False
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if len(self._server.open) >= self._server.connections:
            self.transport.abort()
            return
        self._server.open.add(self)
        self._wait()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._work()

    def pause_writing(self) -> None:
        self._full = True  # a client that does not read its answers is not read either
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self._full = False
        self.transport.resume_reading()
        self._work()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._server.open.discard(self)
        if self._idle is not None:
            self._idle.cancel()

    def _work(self) -> None:
        while not self._full and len(self._unread) >= 2 and not self.transport.is_closing():
            end = 2 + int.from_bytes(self._unread[:2])
            if end < 2 + HEADER_BYTES:
                self.transport.close()  # no DNS message: whatever follows cannot be framed
                return
            if len(self._unread) < end:
                return
            wire = bytes(self._unread[2:end])
            del self._unread[:end]
            self._wait()
            reply = self._server.respond(wire, udp=False)
            if reply is not None:
                self.transport.write(len(reply).to_bytes(2) + reply)

    def _wait(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._server.idle_s * speed_of(loop), self.transport.abort)


def _refusal(wire: bytes, code: dns.rcode.Rcode) -> bytes:
    """A bare header: the question's id, opcode and RD, and why it was not read."""
    return bytes([*wire[:2], 0x80 | wire[2] & 0x79, code, *bytes(8)])


def _failure(query: dns.message.QueryMessage, code: dns.rcode.Rcode) -> bytes:
    response = dns.message.make_response(query, our_payload=UDP_PAYLOAD)
    response.set_rcode(code)
    return response.to_wire()


def _why(error: OSError) -> str:
    """The system's words: asyncio wraps them in its own, a name's failure has no such number."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
