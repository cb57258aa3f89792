"""How an app of the lab finds the address of a name: it asks the DNS server itself, and remembers.

It is the workload, not the tool: what it does when DNS is slow or fails is what drills are about.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.message
import dns.query
import dns.rcode
from dns.rdatatype import RdataType
from dns.rdtypes.IN.A import A

# Of the lab: for how long a server that has failed is not asked again while there is something
# stale to use, and for how long that may be used. Source: RFC 8767, section 5.
RECHECK_S = 30.0
STALE_FOR_S = 86400.0


class NoAddress(OSError):
    """The name could not be resolved; the message says why."""


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: tuple[str, ...]
    fresh_until: float
    ask_again: float  # not before, as long as the addresses may be used


class Resolver:
    """Asks the server at `server` (UDP; TCP when truncated), and gives up after `timeout_s`.

    `timeout_s` is in seconds of the wall; TTLs are counted by the clock `now`. With `stale` the
    last addresses are used on when the server is silent or fails (RFC 8767); that a name does not
    exist is no failure but an answer, and forgets them.
    """

    def __init__(
        self,
        server: tuple[str, int],
        *,
        timeout_s: float,
        stale: bool,
        now: Callable[[], float],
    ) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._stale = stale
        self._now = now
        self._known: dict[str, _Known] = {}
        self._asking = threading.Lock()  # one question for all threads that wait for the answer

    def address(self, name: str) -> str:
        """One of the name's IPv4 addresses; raises NoAddress."""
        with self._asking:
            known = self._known.get(name)
            if known is None or self._now() >= known.ask_again:
                known = self._known[name] = self._learn(name, known)
            return random.choice(known.addresses)

    def _learn(self, name: str, known: _Known | None) -> _Known:
        try:
            answer = self._ask(name)
        except (OSError, dns.exception.DNSException) as error:
            usable = self._stale and known and self._now() < known.fresh_until + STALE_FOR_S
            if known is None or not usable:
                raise NoAddress(f"{name}: {str(error) or type(error).__name__}") from error
            return _Known(known.addresses, known.fresh_until, self._now() + RECHECK_S)
        found = [
            (cast("A", value).address, rrset.ttl)
            for rrset in answer.answer
            for value in rrset
            if value.rdtype == RdataType.A
        ]
        if not found:
            self._known.pop(name, None)
            raise NoAddress(f"{name}: {dns.rcode.to_text(answer.rcode())} without an address")
        until = self._now() + min(ttl for _, ttl in found)
        return _Known(tuple(address for address, _ in found), until, until)

    def _ask(self, name: str) -> dns.message.Message:
        """The server's answer; raises DNSException or OSError when it gives none that counts."""
        host, port = self._server
        question = dns.message.make_query(name, RdataType.A)
        answer, _ = dns.query.udp_with_fallback(question, host, self._timeout_s, port)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise NoAddress(dns.rcode.to_text(answer.rcode()))
        return answer
