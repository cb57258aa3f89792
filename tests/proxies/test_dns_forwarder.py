"""The forwarder passes messages on and back unharmed, and is honest about what it did not get."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import pytest
from dns_clients import (
    HOST,
    WITHIN,
    answer_with,
    datagrams,
    framed,
    responding,
    serving,
    tcp,
    udp,
)

from chaos.loops import run_at
from chaos.proxies.dns_answers import answered
from chaos.proxies.dns_forwarder import Forwarder, answers
from chaos.proxies.dns_wire import asked

API = dns.message.make_query("api.example.com", "A")


@contextlib.asynccontextmanager
async def forwarding(*upstreams: int, within_s: float = WITHIN) -> AsyncIterator[tuple[int, Any]]:
    forwarder = Forwarder([(HOST, port) for port in upstreams], within_s=within_s)
    async with responding(forwarder.respond) as port:
        yield port, forwarder


@contextlib.contextmanager
def nobody(kind: socket.SocketKind = socket.SOCK_DGRAM) -> Any:
    """A port on which somebody listens and never answers."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        yield sock.getsockname()[1]


def closed() -> int:
    with nobody() as port:
        return int(port)


def test_questions_go_on_as_they_came_but_for_their_id() -> None:
    seen: list[tuple[bytes, bool]] = []

    def upstream(wire: bytes, *, udp: bool) -> bytes:
        seen.append((wire, udp))
        return wire[:2] + b"\x81\x80" + wire[4:6] + bytes(6) + wire[12 : end(wire)] + b"odd tail"

    def end(wire: bytes) -> int:
        found = asked(wire)
        assert found is not None
        return found.end

    query = dns.message.make_query("API.Example.com", "TYPE65400", want_dnssec=True)
    query.use_edns(0, dns.flags.DO, 4096, options=[dns.edns.GenericOption("65001", b"opaque")])
    wire = query.to_wire()

    async def main() -> None:
        async with responding(upstream) as behind, forwarding(behind) as (port, _):
            by_udp = await datagrams(port, wire)
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(framed(wire))
            by_tcp = await reader.readexactly(2 + len(by_udp))
            writer.close()
            expected = wire[:2] + b"\x81\x80\x00\x01" + bytes(6) + wire[12 : end(wire)]
            assert by_udp == by_tcp[2:] == expected + b"odd tail"

    run_at(1, main())
    assert [udp for _, udp in seen] == [True, False]
    assert all(got[2:] == wire[2:] for got, _ in seen)


def test_ids_and_ports_are_drawn_anew() -> None:
    ids: list[bytes] = []
    peers: set[int] = set()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as behind:
            behind.bind((HOST, 0))
            behind.setblocking(False)
            async with forwarding(behind.getsockname()[1]) as (port, _):
                for _ in range(20):
                    task = asyncio.create_task(datagrams(port, API.to_wire()))
                    wire, peer = await loop.sock_recvfrom(behind, 512)
                    ids.append(wire[:2])
                    peers.add(peer[1])
                    behind.sendto(wire[:2] + b"\x81\x80" + wire[4:], peer)
                    assert (await task)[:2] == API.to_wire()[:2]

    run_at(1, main())
    assert len(set(ids)) > 15
    assert len(peers) > 15


def test_what_answers_another_question_is_not_taken_for_the_answer() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as behind:
            behind.bind((HOST, 0))
            behind.setblocking(False)
            async with forwarding(behind.getsockname()[1]) as (port, _):
                task = asyncio.create_task(udp(port, API))
                wire, peer = await loop.sock_recvfrom(behind, 512)
                other = dns.message.make_query("evil.example.com", "A", id=int.from_bytes(wire[:2]))
                right = answered(answer_with(1), wire, udp=True) or b""
                wrong_id = bytes([right[0] ^ 1]) + right[1:]
                lies = [b"", wire, wrong_id, answer_with(1)(other).to_wire(), right[:11]]
                for lie in [*lies, right]:
                    behind.sendto(lie, peer)
                assert [str(value) for value in (await task).answer[0]] == ["127.1.1.0"]

    run_at(1, main())


def test_a_complaint_may_come_without_the_question() -> None:
    wire = API.to_wire()
    question = wire[12:]
    assert answers(wire[:2] + b"\x81\x81" + bytes(8), wire, question)
    assert not answers(wire[:2] + b"\x81\x80" + bytes(8), wire, question)


def test_a_truncated_answer_comes_back_so_and_the_whole_by_tcp() -> None:
    async def main() -> None:
        async with serving(answer_with(60)) as behind, forwarding(behind) as (port, _):
            assert (await udp(port, API)).flags & dns.flags.TC
            whole = await tcp(port, API)
            assert len(whole.answer[0]) == 60

    run_at(1, main())


@pytest.mark.parametrize("ask", [udp, tcp])
def test_the_next_upstream_is_asked_when_one_cannot_be_reached(ask: Any) -> None:
    async def main() -> None:
        async with (
            serving(answer_with(1)) as good,
            forwarding(closed(), good) as (port, forwarder),
        ):
            assert (await ask(port, API)).answer
            dead, alive = forwarder.upstreams
            assert (dead.asked, dead.failed, dead.problem) == (1, 1, "Connection refused")
            assert (alive.asked, alive.failed) == (1, 0)

    run_at(1, main())


@pytest.mark.parametrize(("ask", "kind"), [(udp, socket.SOCK_DGRAM), (tcp, socket.SOCK_STREAM)])
def test_silence_of_all_upstreams_is_servfail_in_time(
    ask: Any, kind: socket.SocketKind, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        with nobody(kind) as first, nobody(kind) as second:
            async with forwarding(first, second, within_s=0.2) as (port, forwarder):
                for _ in range(2):
                    answer = await ask(port, API)
                    assert answer.rcode() == dns.rcode.SERVFAIL
                    assert answer.flags & dns.flags.RA
                    assert answer.question == API.question
                for upstream in forwarder.upstreams:
                    assert (upstream.asked, upstream.failed) == (2, 2)
                    assert upstream.problem == "no answer within 0.1 s"

    with caplog.at_level(logging.WARNING, "chaos.dns"):
        run_at(1, main())
    assert len(caplog.messages) == 2, "what goes on failing is told once"
    assert caplog.messages[0].startswith("upstream 127.0.0.1:")


def test_an_upstream_that_hangs_up_gives_no_answer() -> None:
    async def main() -> None:
        async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        behind = await asyncio.start_server(hang_up, HOST, 0)
        async with behind, forwarding(behind.sockets[0].getsockname()[1]) as (port, forwarder):
            assert (await tcp(port, API)).rcode() == dns.rcode.SERVFAIL
            assert forwarder.upstreams[0].failed == 1

    run_at(1, main())


def saying(code: dns.rcode.Rcode) -> Any:
    def answer(query: dns.message.QueryMessage) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(code)
        return response

    return answer


@pytest.mark.parametrize(
    ("first", "second", "comes_back"),
    [
        (dns.rcode.SERVFAIL, dns.rcode.NOERROR, dns.rcode.NOERROR),
        (dns.rcode.REFUSED, dns.rcode.NXDOMAIN, dns.rcode.NXDOMAIN),
        (dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.REFUSED),
        (dns.rcode.NXDOMAIN, dns.rcode.NOERROR, dns.rcode.NXDOMAIN),  # that is an answer
    ],
)
def test_an_upstream_that_will_not_help_is_followed_by_the_next(
    first: dns.rcode.Rcode, second: dns.rcode.Rcode, comes_back: dns.rcode.Rcode
) -> None:
    async def main() -> None:
        async with (
            serving(saying(first)) as one,
            serving(saying(second)) as other,
            forwarding(one, other) as (port, _),
        ):
            assert (await udp(port, API)).rcode() == comes_back

    run_at(1, main())


def test_what_is_no_question_is_not_passed_on() -> None:
    async def main() -> None:
        async with serving(answer_with(1)) as behind, forwarding(behind) as (port, forwarder):
            wire = API.to_wire()
            update = bytes([*wire[:2], dns.opcode.UPDATE << 3, *wire[3:]])
            for sent, code in (
                (update, dns.rcode.NOTIMP),
                (wire[:20], dns.rcode.FORMERR),
                (dns.message.make_query("example.com", "AXFR").to_wire(), dns.rcode.REFUSED),
            ):
                assert dns.message.from_wire(await datagrams(port, sent)).rcode() == code
            echo = answer_with(1)(API).to_wire()
            got = await datagrams(port, b"x", echo, wire)  # the first two have no answer
            assert dns.message.from_wire(got).answer
            assert forwarder.upstreams[0].asked == 1

    run_at(1, main())


def test_more_questions_at_a_time_than_sockets_wait_for_their_turn() -> None:
    async def main() -> None:
        async with serving(answer_with(1)) as behind, forwarding(behind) as (port, forwarder):
            forwarder._turns = asyncio.Semaphore(2)
            answers = await asyncio.gather(*(udp(port, API) for _ in range(20)))
            assert all(answer.answer for answer in answers)

    run_at(1, main())


def test_by_ipv6_too() -> None:
    async def main() -> None:
        async with serving(answer_with(1)) as behind:
            forwarder = Forwarder([("::1", behind)])
            assert forwarder.upstreams[0].name == f"[::1]:{behind}"
            async with responding(forwarder.respond) as port:
                # Nobody listens there by IPv6, and the system says so.
                assert (await udp(port, API)).rcode() == dns.rcode.SERVFAIL
                assert forwarder.upstreams[0].failed == 1

    run_at(1, main())
