"""The DNS server keeps to the wire's rules and cannot be brought down by a message."""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import socket
from typing import Any, cast

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
    connected,
    datagrams,
    framed,
    one_framed,
    serving,
    tcp,
    udp,
)
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import EnvironmentFailed
from chaos.loops import run_at
from chaos.proxies import dns as dns_module
from chaos.proxies.dns import DnsServer
from chaos.proxies.dns_answers import answered

ONE = functools.partial(answered, answer_with(1))


def test_the_same_answer_comes_by_udp_and_by_tcp_on_one_port() -> None:
    async def main() -> list[str]:
        async with serving(answer_with(1)) as port:
            query = dns.message.make_query("api.stream.example", "A")
            return [str((await ask(port, query)).answer[0][0]) for ask in (udp, tcp)]

    assert run_at(1, main()) == ["127.1.1.0", "127.1.1.0"]


@pytest.mark.parametrize(
    ("payload", "addresses", "truncated"),
    [
        (None, 25, False),
        (None, 60, True),  # 60 · 16 bytes are more than 512
        (300, 60, True),  # less than 512 may not be asked for: it counts as 512
        (1232, 60, False),
        (4096, 200, True),  # more than one packet of any network holds, whatever the client takes
    ],
)
def test_what_does_not_fit_into_a_datagram_is_truncated_and_whole_by_tcp(
    payload: int | None, addresses: int, truncated: bool
) -> None:
    async def main() -> None:
        async with serving(answer_with(addresses)) as port:
            query = dns.message.make_query(
                "a.example", "A", use_edns=None if payload is None else 0
            )
            if payload is not None:
                query.use_edns(0, payload=payload)
            by_udp, by_tcp = await udp(port, query), await tcp(port, query)
            assert bool(by_udp.flags & dns.flags.TC) == truncated
            assert by_udp.question == query.question
            assert len(by_udp.to_wire()) <= max(512, min(payload or 0, 1232))
            assert not by_tcp.flags & dns.flags.TC
            assert len(by_tcp.answer[0]) == addresses

    run_at(1, main())


def rcode_of(wire: bytes) -> dns.rcode.Rcode:
    reply = answered(answer_with(1), wire, udp=True)
    assert reply is not None
    assert reply[:2] == wire[:2]
    return dns.message.from_wire(reply).rcode()


def test_what_is_no_question_gets_its_rcode() -> None:
    query = dns.message.make_query("a.example", "A", use_edns=0)
    wire = query.to_wire()
    update = bytes([*wire[:2], dns.opcode.UPDATE << 3, *wire[3:]])
    twice = dns.message.make_query("a.example", "A")
    twice.question *= 2
    later = dns.message.make_query("a.example", "A", use_edns=1)
    assert rcode_of(wire) == dns.rcode.NOERROR
    assert rcode_of(update) == dns.rcode.NOTIMP
    assert rcode_of(wire[:20]) == dns.rcode.FORMERR
    assert rcode_of(wire + b"junk") == dns.rcode.FORMERR
    assert rcode_of(bytes(12)) == dns.rcode.FORMERR
    assert rcode_of(twice.to_wire()) == dns.rcode.FORMERR
    assert rcode_of(later.to_wire()) == dns.rcode.BADVERS


def test_scraps_and_answers_are_dropped_and_the_next_question_is_answered() -> None:
    async def main() -> None:
        async with serving(answer_with(1)) as port:
            query = dns.message.make_query("a.example", "A")
            echo = dns.message.make_response(query).to_wire()
            got = await datagrams(port, b"", b"x", bytes(11), echo, query.to_wire())
            assert dns.message.from_wire(got).answer

    run_at(1, main())


WIRE = dns.message.make_query("api.stream.example", "A", use_edns=0).to_wire()


@given(
    st.one_of(
        st.binary(max_size=600),
        st.builds(
            lambda at, by, junk: WIRE[:at] + by + WIRE[at + len(by) :] + junk,
            st.integers(0, len(WIRE)),
            st.binary(max_size=4),
            st.binary(max_size=4),
        ),
    )
)
def test_no_message_can_bring_it_down(wire: bytes) -> None:
    reply = answered(answer_with(1), wire, udp=True)
    assert (reply is None) == (len(wire) < 12 or wire[2] >= 0x80)
    if reply is not None:
        assert reply[:2] == wire[:2]
        assert dns.message.from_wire(reply).flags & dns.flags.QR


def test_an_answer_that_raises_is_servfail_and_its_reason_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_query: dns.message.QueryMessage) -> dns.message.Message:
        raise KeyError("the zone is gone")

    with caplog.at_level(logging.ERROR, "chaos.dns"):
        assert dns.message.from_wire(ask_once(broken)).rcode() == dns.rcode.SERVFAIL
    assert "the zone is gone" in caplog.text
    assert "a.example" in caplog.text


def test_an_answer_that_fits_no_message_is_servfail(caplog: pytest.LogCaptureFixture) -> None:
    huge = answer_with(1)

    def answer(query: dns.message.QueryMessage) -> dns.message.Message:
        response = huge(query)
        text = [f'"{n:03d}{"x" * 250}"' for n in range(300)]
        response.answer = [dns.rrset.from_text("a.example.", 1, "IN", "TXT", *text)]
        return response

    assert dns.message.from_wire(ask_once(answer)).rcode() == dns.rcode.SERVFAIL
    assert "chaos.dns" in caplog.text


def ask_once(answer: Any) -> bytes:
    reply = answered(answer, dns.message.make_query("a.example", "A").to_wire(), udp=False)
    assert reply is not None
    return reply


def test_silence_is_an_answer_too() -> None:
    def answer(query: dns.message.QueryMessage) -> dns.message.Message | None:
        return None if query.id == 1 else answer_with(1)(query)

    async def main() -> None:
        async with serving(answer) as port:
            first, second = (dns.message.make_query("a.example", "A", id=n) for n in (1, 2))
            got = await datagrams(port, first.to_wire(), second.to_wire())
            assert dns.message.from_wire(got).id == 2
            async with connected(port) as (reader, writer):
                writer.write(framed(first.to_wire()) + framed(second.to_wire()))
                assert (await one_framed(reader)).id == 2

    run_at(1, main())


def test_answers_by_udp_are_lost_rather_than_queued_without_end() -> None:
    class FullAtFirst:
        """A socket that takes nothing, once."""

        def __init__(self, sock: socket.socket) -> None:
            self._sock = sock
            self.lost = 0

        def sendto(self, data: bytes, peer: Any) -> int:
            if not self.lost:
                self.lost = len(data)
                raise BlockingIOError
            return self._sock.sendto(data, peer)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sock, name)

    async def main() -> None:
        server = DnsServer(ONE)
        port = await server.start(HOST)
        assert server._udp is not None
        server._udp.sock = full = cast("Any", FullAtFirst(server._udp.sock))
        first, second = (dns.message.make_query("a.example", "A", id=n) for n in (1, 2))
        async with asyncio.timeout(WITHIN):
            got = await datagrams(port, first.to_wire(), second.to_wire())
        assert dns.message.from_wire(got).id == 2
        assert full.lost
        await server.stop()

    run_at(1, main())


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_given_port_that_is_taken_is_one_clear_sentence(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(EnvironmentFailed) as caught:
            run_at(1, DnsServer(ONE).start(HOST, port))
    assert str(caught.value) == (
        f"the DNS server cannot listen on 127.0.0.1 port {port}: Address already in use;"
        " give another port, or 0 for any that is free"
    )


def test_an_address_that_is_not_ours_is_one_clear_sentence() -> None:
    with pytest.raises(EnvironmentFailed, match=r"listen on 192\.0\.2\.1 port 0: .*(bind|assign)"):
        run_at(1, DnsServer(ONE).start("192.0.2.1"))


def test_an_ephemeral_port_that_is_free_for_tcp_alone_is_given_up_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        real, tried = dns_module._datagrams, list[int]()

        def taken_twice(host: str, port: int) -> socket.socket:
            tried.append(port)
            if len(tried) < 3:
                raise OSError(errno.EADDRINUSE, "taken")
            return real(host, port)

        monkeypatch.setattr(dns_module, "_datagrams", taken_twice)
        async with serving(answer_with(1)) as port:
            assert port == tried[2]
            assert (await udp(port, dns.message.make_query("a.example", "A"))).answer
            for given_up in tried[:2]:
                if given_up != port:
                    with pytest.raises(ConnectionRefusedError):
                        await asyncio.open_connection(HOST, given_up)

    run_at(1, main())


def test_stopping_closes_connections_and_frees_the_port() -> None:
    async def main() -> None:
        first, second = DnsServer(ONE), DnsServer(ONE)
        port = await first.start(HOST)
        query = dns.message.make_query("a.example", "A")
        async with connected(port) as (reader, writer):
            writer.write(framed(query.to_wire()))
            await one_framed(reader)
            await first.stop()
            async with asyncio.timeout(WITHIN):
                assert await reader.read() == b""
        assert await second.start(HOST, port) == port
        assert (await tcp(port, query)).answer
        await second.stop()

    run_at(1, main())


def test_a_server_that_never_started_can_be_stopped() -> None:
    run_at(1, DnsServer(ONE).stop())
