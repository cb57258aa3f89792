"""Rules of a DNS server: which questions meet a fault, which fault, and how many did."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import dns.exception
import dns.name
import dns.rdata
import dns.rdatatype

from chaos.proxies.dns_names import means, parsed
from chaos.proxies.dns_wire import Asked
from chaos.proxies.rulebook import Rulebook, as_given, refuse_misplaced, refuse_unknown

Action = Literal["delay", "servfail", "refused", "nxdomain", "silence", "truncated", "wrong"]

DEFAULT_TTL = 30
LONGEST_TTL = 7 * 24 * 3600
LONGEST_DELAY = 3600.0
MOST_IN_A_LIST = 100
ADDRESSES = {4: "A", 6: "AAAA"}  # by the version of an address
# Keys that mean something to some actions only.
BELONGS_TO = {
    "seconds": ("delay",),
    "jitter": ("delay",),
    "answers": ("wrong",),
    "ttl": ("nxdomain", "wrong"),
}
NEEDED = {"delay": "seconds", "wrong": "answers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRule:
    """Questions to match, and what happens to them; None is: any, or the default.

    names      `api.example.com` is that name, `*.example.com` any below it, `*` any at all
    types      `A`, `AAAA`, `TXT`, …
    delay      answered `seconds` of the loop later, give or take up to `jitter`
    servfail   the server has failed: most clients ask their next one
    refused    the server does not serve this client or name
    nxdomain   there is no such name, which may be believed for `ttl` seconds
    silence    no answer
    truncated  by UDP an empty answer that says "ask again by TCP"; by TCP nothing is wrong
    wrong      `answers` instead of the true ones, to be believed for `ttl` seconds: addresses, or
               the records of the one type in `types`; other types are answered as ever
    """

    action: Action
    names: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    seconds: float | None = None
    jitter: float | None = None
    answers: tuple[str, ...] | None = None
    ttl: int | None = None

    @classmethod
    def from_json(cls, value: Any) -> DnsRule:
        """Read a rule strictly; raises ValueError that begins with the key's name."""
        refuse_unknown(value, CHECKS)
        if "action" not in value:
            raise ValueError(f"action: missing; it is one of {', '.join(get_args(Action))}")
        rule = cls(**{name: CHECKS[name](name, given) for name, given in value.items()})
        _refuse_impossible(rule)
        return rule

    def to_json(self) -> dict[str, Any]:
        """The rule as it was given."""
        return as_given(self)

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The record types that it means; None: any."""
        if self.types is None and self.action == "wrong":
            return tuple(ADDRESSES.values())
        return self.types

    def answers_to(self, kind: str) -> list[str]:
        """Those of the answers that are records of that type."""
        answers = self.answers or ()
        if kind not in ADDRESSES.values():
            return list(answers)
        return [text for text in answers if address_type(text) == kind]

    def matches(self, question: Asked, *, udp: bool) -> bool:
        """Whether the question is meant."""
        return (
            (udp or self.action != "truncated")
            and (self.kinds is None or question.type in self.kinds)
            and (self.names is None or any(means(text, question.name) for text in self.names))
        )


class DnsRules(Rulebook[DnsRule]):
    """The rules of one DNS server."""

    def __init__(self) -> None:
        super().__init__(DnsRule.from_json)

    def __bool__(self) -> bool:
        """Whether there is any rule."""
        return bool(self.items())

    def match(self, question: Asked, *, udp: bool) -> DnsRule | None:
        """The first rule that means the question; counts a hit."""
        for id, rule in self.items():  # noqa: A001  # its name in the control protocol
            if rule.matches(question, udp=udp):
                self.hit(id)
                return rule
        return None


def known_pattern(text: str) -> str:
    """The text, if it is a pattern of names; raises ValueError."""
    parsed(text)
    return text


def known_type(text: str) -> str:
    """The text, if it is the name of a record type; raises ValueError."""
    if text not in dns.rdatatype.RdataType.__members__:
        raise ValueError(f"{text!r} is no record type such as A, AAAA or TXT")
    return text


def address_type(text: str) -> str:
    """The type of the record that holds the address; raises ValueError."""
    return ADDRESSES[ipaddress.ip_address(text).version]


def record(kind: str, text: str) -> dns.rdata.Rdata:
    """The record that a text means; raises DNSException or ValueError."""
    return dns.rdata.from_text("IN", kind, text, dns.name.root, relativize=False)


def _refuse_impossible(rule: DnsRule) -> None:
    refuse_misplaced(rule, needed=NEEDED, belongs_to=BELONGS_TO)
    for text in rule.answers or ():
        _refuse_no_record(rule.kinds or (), text)


def _refuse_no_record(kinds: tuple[str, ...], text: str) -> None:
    addresses = set(kinds) <= set(ADDRESSES.values())
    if not addresses and len(kinds) > 1:
        raise ValueError("types: 'wrong' takes A and AAAA, or one other type")
    try:
        kind = address_type(text) if addresses else kinds[0]
        record(kind, text)
    except (dns.exception.DNSException, ValueError) as error:
        what = "address" if addresses else f"{kinds[0]} record"
        raise ValueError(f"answers: {text!r} is no {what}: {error}") from error
    if kind not in kinds:
        raise ValueError(f"answers: {text!r} answers no question of type {', '.join(kinds)}")


def _action(name: str, value: Any) -> Any:
    if value not in get_args(Action):
        raise ValueError(f"{name}: must be one of {', '.join(get_args(Action))}, not {value!r}")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    good = isinstance(value, list) and value and all(isinstance(n, str) and n for n in value)
    if not good:
        raise ValueError(f"{name}: must be a list of one text or more, not {value!r}")
    if len(value) > MOST_IN_A_LIST:
        raise ValueError(f"{name}: must not have more than {MOST_IN_A_LIST} entries")
    return tuple(value)


def _names(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_in_words(name, known_pattern, text) for text in _texts(name, value))


def _types(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_in_words(name, known_type, text) for text in _texts(name, value))


def _in_words(name: str, check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _within(longest: float) -> Callable[[str, Any], float]:
    def check(name: str, value: Any) -> float:
        if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value <= longest:
            raise ValueError(
                f"{name}: must be a number of seconds from 0 to {longest:g}, not {value!r}"
            )
        return float(value)

    return check


def _ttl(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LONGEST_TTL:
        raise ValueError(f"{name}: must be whole seconds from 0 to {LONGEST_TTL}, not {value!r}")
    return value


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "action": _action,
    "names": _names,
    "types": _types,
    "seconds": _within(LONGEST_DELAY),
    "jitter": _within(LONGEST_DELAY),
    "answers": _texts,
    "ttl": _ttl,
}
