"""A name service with faults: rules decide first, what they do not mean is answered as ever."""

from __future__ import annotations

import asyncio
import random
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.name import Name

from chaos.proxies.dns_rules import DEFAULT_TTL, DnsRule, DnsRules, record
from chaos.proxies.dns_wire import UDP_PAYLOAD, Reply, Respond, asked, is_query, sized

RCODES = {
    "servfail": dns.rcode.SERVFAIL,
    "refused": dns.rcode.REFUSED,
    "nxdomain": dns.rcode.NXDOMAIN,
}
# RFC 1035, 3.3.13: the numbers of an SOA that nobody ever transfers.
SOA = "ns.invalid. hostmaster.invalid. 1 7200 900 1209600"


class Faulty:
    """Lets `respond` answer what no rule means.

    `recursive` says what these answers pretend to come from: a resolver, or the authority itself.
    """

    def __init__(self, respond: Respond, rules: DnsRules, *, recursive: bool = False) -> None:
        self._respond = respond
        self._rules = rules
        self._recursive = recursive
        self._rng = random.Random(random.getrandbits(64))

    def respond(self, wire: bytes, *, udp: bool) -> Reply:
        """What is said to one message, or the promise of it."""
        if not self._rules or not is_query(wire) or (question := asked(wire)) is None:
            return self._respond(wire, udp=udp)
        rule = self._rules.match(question, udp=udp)
        if rule is None:
            return self._respond(wire, udp=udp)
        if rule.action == "silence":
            return None
        if rule.action == "delay":
            return self._later(rule, wire, udp=udp)
        return self._fault(rule, wire, udp=udp)

    async def _later(self, rule: DnsRule, wire: bytes, *, udp: bool) -> bytes | None:
        seconds, jitter = rule.seconds or 0.0, rule.jitter or 0.0
        await asyncio.sleep(seconds + self._rng.uniform(-jitter, jitter))
        reply = self._respond(wire, udp=udp)
        return reply if reply is None or isinstance(reply, bytes) else await reply

    def _fault(self, rule: DnsRule, wire: bytes, *, udp: bool) -> Reply:
        try:
            query = cast("dns.message.QueryMessage", dns.message.from_wire(wire))
        except dns.exception.DNSException:
            return self._respond(wire, udp=udp)  # it has its own words for garbage
        response = dns.message.make_response(
            query, recursion_available=self._recursive, our_payload=UDP_PAYLOAD
        )
        if not self._recursive and rule.action in ("nxdomain", "wrong"):
            response.flags |= dns.flags.AA
        _say(response, rule)
        return sized(response, query, udp=udp)


def _say(response: dns.message.Message, rule: DnsRule) -> None:
    """What the rule wants, as a server that really fails so says it."""
    if rule.action == "truncated":
        response.flags |= dns.flags.TC
    response.set_rcode(RCODES.get(rule.action, dns.rcode.NOERROR))
    question = response.question[0]
    ttl = DEFAULT_TTL if rule.ttl is None else rule.ttl
    if rule.action == "wrong":
        kind = dns.rdatatype.to_text(question.rdtype)
        values = [record(kind, text) for text in rule.answers_to(kind)]
        if values:
            response.answer.append(dns.rrset.from_rdata_list(question.name, ttl, values))
            return
    if rule.action in ("nxdomain", "wrong"):
        response.authority.append(_soa(question.name, ttl))


def _soa(name: Name, ttl: int) -> dns.rrset.RRset:
    """How long the absence may be believed, without which no cache keeps it (RFC 2308, 3)."""
    owner = name if name == dns.name.root else name.parent()
    return dns.rrset.from_text(owner, ttl, "IN", "SOA", f"{SOA} {ttl}")
