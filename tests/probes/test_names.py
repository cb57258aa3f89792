from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from chaos.loops import run_at, run_virtual
from probes import names
from probes.names import Names
from probes.net import Net
from probes.probe import Attempt, ProbeFailed

Question = dns.message.QueryMessage
Server = Callable[
    [Callable[[Question, str], bytes | None]], AbstractAsyncContextManager[tuple[str, int]]
]
NOWHERE = ("127.0.0.1", 1)  # never asked


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return run_at(1, asyncio.wait_for(main, 30))


def answer(question: Question, *rrsets: str, rcode: str = "NOERROR") -> dns.message.Message:
    """The answer to a question; an rrset is written `name ttl type value…`."""
    message = dns.message.make_response(question)
    message.set_rcode(dns.rcode.from_text(rcode))
    for text in rrsets:
        name, ttl, rdtype, *values = text.split()
        message.answer.append(dns.rrset.from_text(name, int(ttl), "IN", rdtype, *values))
    return message


class Zone:
    """Stands in for the server: a list of answers, the last of which stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> None:
        self.asked = 0
        self._answers = list(answers)
        monkeypatch.setattr(names, "query", self.query)

    async def query(self, _: object, name: str, rdtype: str) -> dns.message.Message:
        self.asked += 1
        question = dns.message.make_query(name, rdtype)
        rrsets = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        await asyncio.sleep(0.01)
        failed = rrsets[0].isupper()
        message = answer(question, rcode=rrsets[0]) if failed else answer(question, *rrsets)
        return dns.message.from_wire(message.to_wire())


def test_an_answer_is_believed_for_its_ttl_in_the_loop_s_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zone = Zone(monkeypatch, ("a.test. 60 A 192.0.2.1",), ("a.test. 60 A 192.0.2.2",))

    async def main() -> None:
        known = Names(NOWHERE)
        assert await known.address("a.test") == "192.0.2.1"
        await asyncio.sleep(59.9)
        assert await known.address("A.Test.") == "192.0.2.1"
        assert zone.asked == 1
        await asyncio.sleep(0.2)
        assert await known.address("a.test") == "192.0.2.2"

    run_virtual(main())


def test_the_shortest_ttl_of_a_chain_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = ("a.test. 5 CNAME b.test.", "b.test. 300 A 192.0.2.1")
    zone = Zone(monkeypatch, chain)

    async def main() -> None:
        known = Names(NOWHERE)
        assert await known.address("a.test") == "192.0.2.1"
        await asyncio.sleep(6)
        await known.address("a.test")

    run_virtual(main())
    assert zone.asked == 2


def test_a_ttl_of_0_and_no_cache_ask_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def twice(known: Names) -> None:
        await known.address("a.test")
        await known.address("a.test")

    zone = Zone(monkeypatch, ("a.test. 0 A 192.0.2.1",))
    run_virtual(twice(Names(NOWHERE)))
    assert zone.asked == 2
    zone = Zone(monkeypatch, ("a.test. 300 A 192.0.2.1",))
    run_virtual(twice(Names(NOWHERE, cache="none")))
    assert zone.asked == 2


def test_a_client_that_caches_for_ever_keeps_its_first_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zone = Zone(monkeypatch, ("SERVFAIL",), ("a.test. 1 A 192.0.2.1",), ("a.test. 1 A 192.0.2.2",))

    async def main() -> None:
        known = Names(NOWHERE, cache="forever")
        with pytest.raises(ProbeFailed):  # a failure is not kept
            await known.address("a.test")
        together = await asyncio.gather(known.address("a.test"), known.address("a.test"))
        assert set(together) == {"192.0.2.1"}
        await asyncio.sleep(1e6)
        assert await known.address("a.test") == "192.0.2.1"
        assert zone.asked == 3

    run_virtual(main())


def test_of_several_addresses_the_first_in_the_answer_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # One rrset each, because dnspython shuffles the records of one when it writes them.
    Zone(monkeypatch, ("a.test. 60 A 192.0.2.9", "a.test. 60 A 192.0.2.1"))
    assert run_virtual(Names(NOWHERE).address("a.test")) == "192.0.2.9"


@pytest.mark.parametrize(
    ("rrsets", "said"),
    [
        (("NXDOMAIN",), "a.test: NXDOMAIN"),
        (("SERVFAIL",), "a.test: SERVFAIL"),
        (("a.test. 60 CNAME b.test.",), "a.test: the DNS answer has no address"),
        (("b.test. 60 A 192.0.2.1",), "a.test: the DNS answer has no address"),
        (
            ("a.test. 60 CNAME b.test.", "b.test. 60 CNAME a.test."),
            "a.test: the DNS answer makes no sense",
        ),
    ],
)
def test_an_answer_without_address_says_why(
    monkeypatch: pytest.MonkeyPatch, rrsets: tuple[str, ...], said: str
) -> None:
    Zone(monkeypatch, rrsets)
    with pytest.raises(ProbeFailed, match=said):
        run_virtual(Names(NOWHERE).address("a.test"))


@pytest.mark.parametrize("name", ["a..test", "x" * 64 + ".test", "ü" * 70])
def test_what_is_no_name_is_bad(name: str) -> None:
    with pytest.raises(ProbeFailed):
        run_virtual(Names(NOWHERE).address(name))


def test_literal_addresses_and_localhost_are_not_asked_for() -> None:
    async def main() -> None:
        attempt = Attempt(run="r", probe="p", n=0)
        net = Net(names=Names(NOWHERE))
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport, _ = await net.connect(asyncio.Protocol, "127.0.0.1", port, attempt)
        transport.abort()
        assert list(attempt.phases) == ["connect"]
        transport, _ = await net.connect(asyncio.Protocol, "api.localhost", port, attempt)
        transport.abort()
        assert attempt.detail["address"] == "127.0.0.1"
        server.close()

    run(main())


@pytest.mark.parametrize("configured", [True, False])
def test_without_a_server_the_first_of_the_system_s_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, configured: bool
) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver 192.0.2.53\nnameserver 192.0.2.54\n" if configured else "")
    system = dns.resolver.Resolver
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: system(str(conf)))
    if configured:
        assert Names().server == ("192.0.2.53", 53)
    else:
        with pytest.raises(ProbeFailed, match="no DNS resolver configured"):
            _ = Names().server


# --- with a real server -------------------------------------------------------------------


def test_a_truncated_answer_is_asked_for_again_over_tcp(dns_server: Server) -> None:
    over = []

    def answers(question: Question, via: str) -> bytes:
        over.append(via)
        message = answer(question, *(["a.test. 60 A 192.0.2.1"] if via == "tcp" else []))
        if via == "udp":
            message.flags |= dns.flags.TC
        return message.to_wire()

    async def main() -> str:
        async with dns_server(answers) as server:
            return await Names(server).address("a.test")

    assert run(main()) == "192.0.2.1"
    assert over == ["udp", "tcp"]


@pytest.mark.parametrize(
    ("garble", "said"),
    [
        (lambda _: b"x", "cannot be read"),
        (lambda _: b"\xff" * 100, "cannot be read|another question"),
        (lambda wire: wire[:-3], "cannot be read"),
        (lambda wire: bytes([wire[0] ^ 1]) + wire[1:], "belongs to another question"),
        (lambda wire: wire[:2] + bytes([wire[2] & 0x7F]) + wire[3:], "another question"),
        (lambda wire: wire.replace(b"test", b"best"), "another question"),
        (lambda wire: wire + b"trailing", "cannot be read"),
    ],
)
def test_an_answer_that_is_garbled_or_another_s_is_bad(
    dns_server: Server, garble: Callable[[bytes], bytes], said: str
) -> None:
    def answers(question: Question, via: str) -> bytes:
        return garble(answer(question, "a.test. 60 A 192.0.2.1").to_wire())

    async def main() -> str:
        async with dns_server(answers) as server:
            return await Names(server).address("a.test")

    with pytest.raises(ProbeFailed, match=said):
        run(main())


def test_a_server_that_closes_half_way_is_bad(dns_server: Server) -> None:
    async def main() -> None:
        async with dns_server(lambda *_: None) as server:
            await names.query(server, "a.test", "A", "tcp")

    with pytest.raises(ProbeFailed, match="closed the connection before it had answered"):
        run(main())


def test_a_port_without_a_server_is_heard_of_at_once() -> None:
    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            address = free.getsockname()
        await Names(address).address("a.test")

    with pytest.raises(ConnectionRefusedError):
        run(main())
