"""A name service with faults: what clients get over real sockets, and what is left alone."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from dns_clients import (
    connected,
    datagrams,
    faulty,
    framed,
    one_framed,
    tcp,
    udp,
)

from chaos.loops import run_at

API = dns.message.make_query("api.example.com", "A", use_edns=0)


async def both(port: int, query: dns.message.Message) -> list[dns.message.Message]:
    return [await udp(port, query), await tcp(port, query)]


def test_what_no_rule_means_is_answered_as_ever() -> None:
    async def main() -> None:
        async with faulty({"action": "servfail", "names": ["other.example"]}) as (port, rules):
            for answer in await both(port, API):
                assert [str(value) for value in answer.answer[0]] == ["127.1.1.0"]
            assert rules.hits("0") == 0

    run_at(1, main())


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize(
    ("action", "code"), [("servfail", dns.rcode.SERVFAIL), ("refused", dns.rcode.REFUSED)]
)
def test_a_failure_is_an_rcode_and_nothing_else(
    action: str, code: dns.rcode.Rcode, recursive: bool
) -> None:
    async def main() -> None:
        async with faulty({"action": action}, recursive=recursive) as (port, rules):
            for answer in await both(port, API):
                assert (answer.rcode(), answer.answer, answer.authority) == (code, [], [])
                assert answer.question == API.question
                assert answer.edns == 0
                assert bool(answer.flags & dns.flags.RA) is recursive
                assert not answer.flags & dns.flags.AA
            assert rules.hits("0") == 2

    run_at(1, main())


@pytest.mark.parametrize("recursive", [False, True])
def test_a_name_that_is_gone_may_be_believed_for_its_ttl(recursive: bool) -> None:
    async def main() -> None:
        rule = {"action": "nxdomain", "ttl": 7}
        async with faulty(rule, recursive=recursive) as (port, _):
            for answer in await both(port, API):
                assert answer.rcode() == dns.rcode.NXDOMAIN
                [soa] = answer.authority
                assert (str(soa.name), soa.rdtype, soa.ttl) == ("example.com.", 6, 7)
                assert soa[0].minimum == 7
                assert bool(answer.flags & dns.flags.AA) is not recursive
            root = await udp(port, dns.message.make_query(".", "NS"))
            assert str(root.authority[0].name) == "."

    run_at(1, main())


def test_wrong_answers_are_of_the_type_that_was_asked() -> None:
    async def main() -> None:
        rule = {"action": "wrong", "answers": ["192.0.2.1", "192.0.2.2"], "ttl": 5}
        async with faulty(rule) as (port, rules):
            for answer in await both(port, API):
                assert {str(value) for value in answer.answer[0]} == {"192.0.2.1", "192.0.2.2"}
                assert answer.answer[0].ttl == 5
            six = await udp(port, dns.message.make_query("api.example.com", "AAAA"))
            assert (six.rcode(), six.answer) == (dns.rcode.NOERROR, [])
            assert six.authority[0].rdtype == dns.rdatatype.SOA  # there is none of that type
            await udp(port, dns.message.make_query("api.example.com", "TXT"))
            assert rules.hits("0") == 3, "a question for text meets no wrong addresses"

    run_at(1, main())


def test_wrong_answers_that_no_datagram_holds_are_had_by_tcp() -> None:
    async def main() -> None:
        many = [f"192.0.2.{n}" for n in range(100)]
        async with faulty({"action": "wrong", "answers": many}) as (port, _):
            by_udp, by_tcp = await both(port, API)
            assert by_udp.flags & dns.flags.TC
            assert not by_tcp.flags & dns.flags.TC
            assert {str(value) for value in by_tcp.answer[0]} == set(many)

    run_at(1, main())


def test_wrong_records_of_any_one_type() -> None:
    async def main() -> None:
        rule = {"action": "wrong", "types": ["TXT"], "answers": ['"not so"']}
        async with faulty(rule) as (port, _):
            text = await udp(port, dns.message.make_query("api.example.com", "TXT"))
            assert str(text.answer[0][0]) == '"not so"'
            assert str((await udp(port, API)).answer[0][0]) == "127.1.1.0"

    run_at(1, main())


def test_a_truncated_answer_sends_the_client_to_tcp() -> None:
    async def main() -> None:
        async with faulty({"action": "truncated"}) as (port, rules):
            by_udp, by_tcp = await both(port, API)
            assert by_udp.flags & dns.flags.TC
            assert (by_udp.rcode(), by_udp.answer) == (dns.rcode.NOERROR, [])
            assert not by_tcp.flags & dns.flags.TC
            assert by_tcp.answer
            assert rules.hits("0") == 1

    run_at(1, main())


def test_silence_is_for_the_names_that_are_meant() -> None:
    async def main() -> None:
        async with faulty({"action": "silence", "names": ["api.example.com"]}) as (port, rules):
            other = dns.message.make_query("other.example.com", "A")
            got = await datagrams(port, API.to_wire(), other.to_wire())
            assert dns.message.from_wire(got).id == other.id
            async with connected(port) as (reader, writer):
                writer.write(framed(API.to_wire()) + framed(other.to_wire()))
                assert (await one_framed(reader)).id == other.id
            assert rules.hits("0") == 2

    run_at(1, main())


def test_garbage_meets_no_rule() -> None:
    async def main() -> None:
        async with faulty({"action": "servfail"}) as (port, rules):
            wire = API.to_wire()
            got = await datagrams(port, b"", bytes(11), wire[:20])
            assert dns.message.from_wire(got).rcode() == dns.rcode.FORMERR
            broken = wire[:-1] + b"\xff"  # the question is whole, and what follows is not
            assert dns.message.from_wire(await datagrams(port, broken)).rcode() == dns.rcode.FORMERR
            assert rules.hits("0") == 1

    run_at(1, main())
