"""DNS messages as bytes: what is asked, read by hand, by those who pass a message on as it is."""

from __future__ import annotations

import functools
import os
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import dns.message
import dns.rcode
import dns.rdatatype

from chaos.proxies.dns_names import Labels

HEADER_BYTES = 12  # RFC 1035, 4.1.1
LONGEST_NAME = 255  # bytes on the wire; RFC 1035, 2.3.4
# What fits in any network's packet without fragments. Source: DNS Flag Day 2020.
UDP_PAYLOAD = 1232
PLAIN_UDP_BYTES = 512  # RFC 1035, 4.2.1: the most for a client that says nothing of its own
LARGEST_BYTES = 65535
ONE_QUESTION = b"\x00\x01"

# The answer to a message, None for silence, or what gives it later.
Reply = bytes | None | Coroutine[Any, Any, bytes | None]


class Respond(Protocol):
    """Says what is answered to one message."""

    def __call__(self, wire: bytes, *, udp: bool) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """The one question of a query: whose name, which type, and where it ends in the message."""

    name: Labels
    type: str
    end: int


def is_query(wire: bytes) -> bool:
    """Whether it may be answered at all: an answer that is answered would start an echo."""
    return len(wire) >= HEADER_BYTES and not wire[2] & 0x80


def asked(wire: bytes) -> Asked | None:
    """What a query asks; None where it is no plain query with one question that can be read."""
    if wire[2] & 0xF8 or wire[4:6] != ONE_QUESTION:
        return None
    labels = []
    at = HEADER_BYTES
    while len(wire) > at and (size := wire[at]):
        at += 1 + size
        if size > 63 or at - HEADER_BYTES >= LONGEST_NAME:  # no name to point at comes before it
            return None
        labels.append(wire[at - size : at].lower())
    end = at + 5
    if len(wire) < end:
        return None
    return Asked(tuple(labels), type_name(int.from_bytes(wire[at + 1 : at + 3])), end)


@functools.lru_cache(maxsize=256)
def type_name(number: int) -> str:
    """`A`, `AAAA`, `TXT`, or `TYPE65400` where it has no name (RFC 3597)."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))


def refusal(wire: bytes, code: dns.rcode.Rcode) -> bytes:
    """A bare header: the question's id, opcode and RD, and why it was not read."""
    return bytes([*wire[:2], 0x80 | wire[2] & 0x79, code, *bytes(8)])


def sized(response: dns.message.Message, query: dns.message.QueryMessage, *, udp: bool) -> bytes:
    """The answer as bytes, and truncated where a datagram to that client cannot hold it."""
    most = max(PLAIN_UDP_BYTES, min(query.payload, UDP_PAYLOAD)) if udp else LARGEST_BYTES
    return response.to_wire(max_size=most, prefer_truncation=udp)


def failure(
    query: dns.message.QueryMessage, code: dns.rcode.Rcode, *, recursive: bool = False
) -> bytes:
    """An answer that has nothing but an rcode."""
    response = dns.message.make_response(
        query, recursion_available=recursive, our_payload=UDP_PAYLOAD
    )
    response.set_rcode(code)
    return response.to_wire()


def why(error: OSError) -> str:
    """The system's words: asyncio wraps them in its own, a name's failure has no such number."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
