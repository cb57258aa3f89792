"""A function of messages as one of bytes: garbage, sizes and truncation are seen to here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

import dns.exception
import dns.message
import dns.rcode

from chaos.proxies.dns_wire import failure, is_query, refusal, sized

# An answer to a question, or None where the server is to stay silent.
Answer = Callable[[dns.message.QueryMessage], dns.message.Message | None]

log = logging.getLogger("chaos.dns")


def answered(answer: Answer, wire: bytes, *, udp: bool) -> bytes | None:
    """What `answer` says to one message, as bytes; None where silence is right.

    An answer that raises is logged, and SERVFAIL.
    """
    if not is_query(wire):
        return None
    if wire[2] & 0x78:
        return refusal(wire, dns.rcode.NOTIMP)
    try:
        query = cast("dns.message.QueryMessage", dns.message.from_wire(wire))
    except dns.exception.DNSException:
        return refusal(wire, dns.rcode.FORMERR)
    if len(query.question) != 1:
        return refusal(wire, dns.rcode.FORMERR)
    if query.edns > 0:
        return failure(query, dns.rcode.BADVERS)
    return _answered(answer, query, udp=udp)


def _answered(answer: Answer, query: dns.message.QueryMessage, *, udp: bool) -> bytes | None:
    try:
        response = answer(query)
        if response is None:
            return None
        return sized(response, query, udp=udp)
    except Exception:  # whatever is wrong with one answer, the next question gets its own
        log.exception("no answer to %s", query.question[0])
        return failure(query, dns.rcode.SERVFAIL)
