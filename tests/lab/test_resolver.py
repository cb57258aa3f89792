"""The apps' resolver against a DNS server that is told what to say: TTLs, silence, staleness."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from chaos.lab.resolver import RECHECK_S, STALE_FOR_S, NoAddress, Resolver

NAME = "recommendations.internal.stream.example"
TTL = 5
Say = Callable[[dns.message.Message], dns.message.Message | None]


def addresses(*values: str) -> Say:
    def say(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_text(f"{NAME}.", TTL, "IN", "A", *values))
        return response

    return say


def code(rcode: dns.rcode.Rcode) -> Say:
    def say(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return response

    return say


def truncated(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    return response


def silence(_: dns.message.Message) -> None:
    """No answer."""


class Server:
    """Answers on UDP; on TCP always with an address."""

    def __init__(self) -> None:
        self.say: Say = addresses("192.0.2.1")
        self.asked = 0
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sock = self.request
                server.asked += 1
                if answer := server.say(dns.message.from_wire(data)):
                    sock.sendto(answer.to_wire(), self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                data = self.rfile.read(int.from_bytes(self.rfile.read(2)))
                answer = addresses("192.0.2.9")(dns.message.from_wire(data))
                assert answer is not None
                self.wfile.write(answer.to_wire(prepend_length=True))

        self.tcp: Any = socketserver.TCPServer(("127.0.0.1", 0), Tcp)
        self.udp: Any = socketserver.UDPServer(self.tcp.server_address, Udp)

    def run(self) -> Iterator[Server]:
        serve = [one.serve_forever for one in (self.udp, self.tcp)]
        threads = [threading.Thread(target=one, args=(0.02,)) for one in serve]
        for thread in threads:
            thread.start()
        yield self
        for one, thread in zip((self.udp, self.tcp), threads, strict=True):
            one.shutdown()
            thread.join()
            one.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    yield from Server().run()


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def a_resolver(server: Server, clock: Clock, *, stale: bool, patience_s: float = 30) -> Resolver:
    return Resolver(server.udp.server_address, timeout_s=patience_s, stale=stale, now=clock)


FAILURES: dict[str, Say] = {
    "silence": silence,
    "servfail": code(dns.rcode.SERVFAIL),
    "refused": code(dns.rcode.REFUSED),
}


def test_it_asks_once_for_each_ttl(server: Server, clock: Clock) -> None:
    resolver = a_resolver(server, clock, stale=False)
    for _ in range(3):
        assert resolver.address(NAME) == "192.0.2.1"
    clock.now += TTL - 0.1
    assert resolver.address(NAME) == "192.0.2.1"
    assert server.asked == 1
    server.say = addresses("192.0.2.2")
    clock.now += 0.1
    assert resolver.address(NAME) == "192.0.2.2"
    assert server.asked == 2


def test_it_uses_all_addresses(server: Server, clock: Clock) -> None:
    server.say = addresses("192.0.2.1", "192.0.2.2")
    resolver = a_resolver(server, clock, stale=False)
    assert {resolver.address(NAME) for _ in range(100)} == {"192.0.2.1", "192.0.2.2"}


def test_a_truncated_answer_is_asked_for_again_over_tcp(server: Server, clock: Clock) -> None:
    server.say = truncated
    assert a_resolver(server, clock, stale=False).address(NAME) == "192.0.2.9"


@pytest.mark.parametrize("failure", FAILURES)
def test_without_stale_a_failure_is_one_and_the_next_question_is_asked(
    server: Server, clock: Clock, failure: str
) -> None:
    resolver = a_resolver(server, clock, stale=False, patience_s=0.2)
    resolver.address(NAME)
    clock.now += TTL
    server.say = FAILURES[failure]
    with pytest.raises(NoAddress, match=NAME):
        resolver.address(NAME)
    server.say = addresses("192.0.2.2")
    assert resolver.address(NAME) == "192.0.2.2"


@pytest.mark.parametrize("failure", FAILURES)
def test_stale_addresses_are_used_on_and_asked_for_again_later(
    server: Server, clock: Clock, failure: str
) -> None:
    resolver = a_resolver(server, clock, stale=True, patience_s=0.2)
    resolver.address(NAME)
    clock.now += TTL
    server.say = FAILURES[failure]
    for _ in range(3):
        assert resolver.address(NAME) == "192.0.2.1"
    assert server.asked == 2  # it does not wait for the silent server at every call
    server.say = addresses("192.0.2.2")
    clock.now += RECHECK_S - 0.1
    assert resolver.address(NAME) == "192.0.2.1"
    clock.now += 0.1
    assert resolver.address(NAME) == "192.0.2.2"


def test_stale_addresses_are_not_used_for_ever(server: Server, clock: Clock) -> None:
    resolver = a_resolver(server, clock, stale=True)
    resolver.address(NAME)
    server.say = code(dns.rcode.SERVFAIL)
    clock.now += TTL + STALE_FOR_S - 1
    assert resolver.address(NAME) == "192.0.2.1"
    clock.now += RECHECK_S
    with pytest.raises(NoAddress, match="SERVFAIL"):
        resolver.address(NAME)


def test_stale_is_of_no_use_to_who_has_never_known_it(server: Server, clock: Clock) -> None:
    server.say = code(dns.rcode.SERVFAIL)
    with pytest.raises(NoAddress, match=f"{NAME}: SERVFAIL"):
        a_resolver(server, clock, stale=True).address(NAME)


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (code(dns.rcode.NXDOMAIN), "NXDOMAIN without an address"),
        (code(dns.rcode.NOERROR), "NOERROR without an address"),
    ],
)
def test_that_there_is_no_such_name_is_an_answer_and_forgets_the_addresses(
    server: Server, clock: Clock, say: Say, words: str
) -> None:
    resolver = a_resolver(server, clock, stale=True)
    resolver.address(NAME)
    clock.now += TTL
    server.say = say
    with pytest.raises(NoAddress, match=words):
        resolver.address(NAME)
    server.say = code(dns.rcode.SERVFAIL)
    with pytest.raises(NoAddress, match="SERVFAIL"):
        resolver.address(NAME)


def test_many_threads_ask_one_question(server: Server, clock: Clock) -> None:
    resolver = a_resolver(server, clock, stale=False)
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda _: resolver.address(NAME), range(50))]
    assert set(found) == {"192.0.2.1"}
    assert server.asked == 1


def test_a_port_where_nothing_answers_is_told(clock: Clock) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        resolver = Resolver(("127.0.0.1", port), timeout_s=0.2, stale=True, now=clock)
        with pytest.raises(NoAddress, match=f"{NAME}: .*timed out"):
            resolver.address(NAME)
