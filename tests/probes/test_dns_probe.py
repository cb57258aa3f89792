from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from pydantic import ValidationError

from chaos.loops import run_at
from probes.dns import Dns
from probes.names import Names
from probes.net import Net
from probes.probe import Attempt, ProbeFailed

Question = dns.message.QueryMessage
Server = Callable[
    [Callable[[Question, str], bytes | None]], AbstractAsyncContextManager[tuple[str, int]]
]


def ask(
    dns_server: Server,
    *rrsets: str,
    rcode: str = "NOERROR",
    flags: int = 0,
    asked: list[str] | None = None,
    **fields: Any,
) -> Attempt:
    """One attempt against a server that answers with these; `name ttl type | value`.

    One rrset a record, because dnspython shuffles the records of one when it writes them.
    """

    def answers(question: Question, via: str) -> bytes:
        if asked is not None:
            asked.append(f"{question.question[0].to_text()} {via}")
        message = dns.message.make_response(question)
        message.flags |= flags
        message.set_rcode(dns.rcode.from_text(rcode))
        for text in rrsets:
            head, value = text.split(" | ")
            name, ttl, rdtype = head.split()
            message.answer.append(dns.rrset.from_text(name, int(ttl), "IN", rdtype, value))
        return message.to_wire()

    async def main() -> Attempt:
        probe = Dns(**({"kind": "dns", "name": "a.test"} | fields))
        attempt = Attempt(run="r", probe="p", n=0)
        async with dns_server(answers) as server:
            await probe.check(Net(names=Names(server)), attempt)
        attempt.detail["server"] = attempt.detail["server"].replace(f":{server[1]}", ":PORT")
        return attempt

    return run_at(1, asyncio.wait_for(main(), 30))


def refused(dns_server: Server, *rrsets: str, **fields: Any) -> str:
    with pytest.raises(ProbeFailed) as failed:
        ask(dns_server, *rrsets, **fields)
    return str(failed.value)


def test_a_good_answer_is_measured_and_told(dns_server: Server) -> None:
    asked: list[str] = []
    attempt = ask(dns_server, "a.test. 60 A | 192.0.2.2", "a.test. 60 A | 192.0.2.1", asked=asked)
    assert asked == ["a.test. IN A udp"]
    assert list(attempt.phases) == ["answer"]
    assert attempt.detail == {
        "server": "127.0.0.1:PORT",
        "rcode": "NOERROR",
        "answers": ["192.0.2.2", "192.0.2.1"],
        "ttl": 60,
    }


def test_it_asks_over_tcp_when_told_to(dns_server: Server) -> None:
    asked: list[str] = []
    ask(dns_server, "a.test. 60 A | 192.0.2.1", asked=asked, transport="tcp")
    assert asked == ["a.test. IN A tcp"]


def test_all_or_any_of_the_answers_must_be_there(dns_server: Server) -> None:
    zone = ["a.test. 60 A | 192.0.2.1", "a.test. 60 A | 192.0.2.2"]
    ask(dns_server, *zone, expect={"answers": ["192.0.2.2"]})
    either = ["192.0.2.2", "192.0.2.3"]
    ask(dns_server, *zone, expect={"answers": either, "match": "any"})
    assert refused(dns_server, *zone, expect={"answers": either}) == (
        "the answer has 192.0.2.1, 192.0.2.2, not 192.0.2.2 and 192.0.2.3"
    )
    none = {"answers": ["192.0.2.3", "192.0.2.4"], "match": "any"}
    assert refused(dns_server, *zone, expect=none).endswith("not 192.0.2.3 or 192.0.2.4")


def test_an_empty_answer_is_bad_unless_it_is_expected(dns_server: Server) -> None:
    assert refused(dns_server) == "the answer has no A record"
    ask(dns_server, expect={"answers": []})
    said = refused(dns_server, "a.test. 60 A | 192.0.2.1", expect={"answers": []})
    assert said == "the answer has 192.0.2.1, and should have none"


def test_aliases_are_followed_and_the_shortest_ttl_counts(dns_server: Server) -> None:
    zone = ["a.test. 5 CNAME | b.test.", "b.test. 300 A | 192.0.2.1"]
    attempt = ask(dns_server, *zone, expect={"answers": ["192.0.2.1"], "max_ttl": "5s"})
    assert attempt.detail["ttl"] == 5
    assert refused(dns_server, *zone, expect={"max_ttl": "4s"}) == "the TTL is 5 s, over 4 s"


@pytest.mark.parametrize(
    ("rdtype", "value", "expected"),
    [
        ("CNAME", "b.Test.", "B.test"),
        ("AAAA", "2001:db8::1", "2001:DB8:0::1"),
        ("MX", "10 mail.test.", "10 mail.test"),
        ("TXT", '"v=spf1 " "-all \\"x\\""', 'v=spf1 -all "x"'),
        ("SRV", "0 5 5060 sip.test.", "0 5 5060 sip.test."),
    ],
)
def test_records_are_compared_by_what_they_mean(
    dns_server: Server, rdtype: str, value: str, expected: str
) -> None:
    ask(dns_server, f"a.test. 60 {rdtype} | {value}", type=rdtype, expect={"answers": [expected]})


def test_another_rcode_is_bad_unless_it_is_expected(dns_server: Server) -> None:
    assert refused(dns_server, rcode="SERVFAIL") == "SERVFAIL, not NOERROR"
    attempt = ask(dns_server, rcode="NXDOMAIN", expect={"rcode": "nxdomain"})
    assert attempt.detail["rcode"] == "NXDOMAIN"
    said = refused(dns_server, "a.test. 60 A | 192.0.2.1", expect={"rcode": "NXDOMAIN"})
    assert said == "NOERROR, not NXDOMAIN"


def test_a_truncated_answer_is_bad(dns_server: Server) -> None:
    said = refused(dns_server, "a.test. 60 A | 192.0.2.1", flags=dns.flags.TC)
    assert said == "the answer over udp is truncated"


def test_an_answer_that_goes_in_circles_is_bad(dns_server: Server) -> None:
    said = refused(dns_server, "a.test. 5 CNAME | b.test.", "b.test. 5 CNAME | a.test.")
    assert said.startswith("the answer makes no sense")


def test_a_server_of_its_own_is_asked(dns_server: Server) -> None:
    def answers(question: Question, via: str) -> bytes:
        message = dns.message.make_response(question)
        message.answer.append(dns.rrset.from_text("a.test.", 60, "IN", "A", "192.0.2.1"))
        return message.to_wire()

    async def main() -> Attempt:
        async with dns_server(answers) as (host, port):
            probe = Dns(kind="dns", name="a.test", server=f"{host}:{port}")
            attempt = Attempt(run="r", probe="p", n=0)
            await probe.check(Net(names=Names(("127.0.0.1", 1))), attempt)
            return attempt

    assert run_at(1, asyncio.wait_for(main(), 30)).detail["answers"] == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "a..b"}, "'a..b' is no domain name"),
        ({"type": "ANY"}, "'A'"),
        ({"server": "ns.example"}, "write 192.0.2.1 or 192.0.2.1:5353"),
        ({"server": "192.0.2.1:99999"}, "there is no port 99999"),
        ({"server": "[::1]:0"}, "there is no port 0"),
        ({"expect": {"rcode": "WHAT"}}, "'WHAT' is no rcode"),
        ({"expect": {"rcode": "NXDOMAIN", "answers": ["192.0.2.1"]}}, "there are no answers"),
        ({"expect": {"answers": ["api.example"]}}, "'api.example' is no A record"),
        ({"type": "MX", "expect": {"answers": ["mail.example"]}}, "is no MX record"),
        ({"transport": "tls"}, "'udp' or 'tcp'"),
    ],
)
def test_impossible_parameters_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Dns(**({"kind": "dns", "name": "a.test"} | fields))
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    "server", ["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"]
)
def test_a_server_is_an_address_with_or_without_a_port(server: str) -> None:
    assert Dns(kind="dns", name="a.test", server=server).server == server
