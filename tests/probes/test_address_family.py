"""Which addresses of a name are used: those of the family that a probe asks for."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rrset
import pytest

from chaos.loops import run_virtual
from probes import names
from probes.names import Names
from probes.probe import Family, ProbeFailed

NOWHERE = ("127.0.0.1", 1)  # never asked


class Zone:
    """Stands in for the server: it has these records, and fails when it has a code instead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *records: str, code: str = "") -> None:
        self.types: list[str] = []
        self._records = records
        self._code = code
        monkeypatch.setattr(names, "query", self.query)

    async def query(self, _: object, name: str, rdtype: str) -> dns.message.Message:
        self.types.append(rdtype)
        answer = dns.message.make_response(dns.message.make_query(name, rdtype))
        answer.set_rcode(dns.rcode.from_text(self._code or "NOERROR"))
        for record in self._records:
            owner, ttl, kind, value = record.split()
            if kind == rdtype:
                answer.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, value))
        return dns.message.from_wire(answer.to_wire())


V4 = "a.test. 60 A 192.0.2.1"
V6 = "a.test. 60 AAAA 2001:db8::1"


@pytest.mark.parametrize(
    ("family", "records", "address", "asked"),
    [
        ("any", [V6, V4], "192.0.2.1", ["A"]),
        ("any", [V6], "2001:db8::1", ["A", "AAAA"]),
        ("ipv4", [V6, V4], "192.0.2.1", ["A"]),
        ("ipv6", [V6, V4], "2001:db8::1", ["AAAA"]),
    ],
)
def test_a_family_decides_which_records_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    family: Family,
    records: list[str],
    address: str,
    asked: list[str],
) -> None:
    zone = Zone(monkeypatch, *records)

    async def twice(known: Names) -> list[str]:
        return [await known.address("a.test"), await known.address("a.test")]

    assert run_virtual(twice(Names(NOWHERE, family=family))) == [address, address]
    assert zone.types == asked, "the second time it is known"


@pytest.mark.parametrize(
    ("family", "records", "said", "asked"),
    [
        ("any", [], "has no address", ["A", "AAAA"]),
        ("ipv4", [V6], "has no IPv4 address", ["A"]),
        ("ipv6", [V4], "has no IPv6 address", ["AAAA"]),
    ],
)
def test_a_name_without_an_address_of_the_family_says_so(
    monkeypatch: pytest.MonkeyPatch,
    family: Family,
    records: list[str],
    said: str,
    asked: list[str],
) -> None:
    zone = Zone(monkeypatch, *records)
    with pytest.raises(ProbeFailed, match=said):
        run_virtual(Names(NOWHERE, family=family).address("a.test"))
    assert zone.types == asked


def test_a_failure_is_not_taken_for_a_lack_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = Zone(monkeypatch, V6, code="SERVFAIL")
    with pytest.raises(ProbeFailed, match="SERVFAIL"):
        run_virtual(Names(NOWHERE).address("a.test"))
    assert zone.types == ["A"]


@pytest.mark.parametrize(
    ("family", "address"), [("any", "127.0.0.1"), ("ipv4", "127.0.0.1"), ("ipv6", "::1")]
)
def test_localhost_is_of_the_family(family: Family, address: str) -> None:
    assert run_virtual(Names(NOWHERE, family=family).address("localhost")) == address
