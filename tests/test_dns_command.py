"""`chaos dns`, as a user calls it: a process, real sockets, signals, what it says."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest

CHAOS = [sys.executable, "-m", "chaos", "dns"]
HOST = "127.0.0.1"
WITHIN_S = 30.0
# Enough for a question that is answered at once; the end of waiting for one that never is.
SILENT_S = 0.3


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    """The port of a resolver that answers every question with one address, or text."""
    sock, listener = _pair()
    with sock, listener:
        threading.Thread(target=_answer_udp, args=(sock,), daemon=True).start()
        threading.Thread(target=_answer_tcp, args=(listener,), daemon=True).start()
        yield sock.getsockname()[1]
        for end in (sock, listener):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _pair() -> tuple[socket.socket, socket.socket]:
    """One port by UDP and by TCP; what is free for one may be taken for the other."""
    for _ in range(32):
        listener = socket.create_server((HOST, 0))
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind(listener.getsockname())
        except OSError:
            sock.close()
            listener.close()
        else:
            return sock, listener
    raise AssertionError("no port is free for both")


def _answer_udp(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            wire, peer = sock.recvfrom(512)
            if not wire:
                return
            sock.sendto(_answer(wire), peer)


def _answer_tcp(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                wire = _answer(client.recv(512)[2:])
                client.sendall(len(wire).to_bytes(2) + wire)


def _answer(wire: bytes) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(wire))
    kind = response.question[0].rdtype
    value = {1: "127.0.0.9", 28: "::9"}.get(kind, '"text"')
    response.answer = [dns.rrset.from_text(response.question[0].name, 9, "IN", kind, value)]
    return response.to_wire()


class Running:
    """The command while it answers."""

    def __init__(self, *args: str, upstream: int) -> None:
        places = ["--listen", f"{HOST}:0", "--upstream", f"{HOST}:{upstream}"]
        self.process = subprocess.Popen(
            [*CHAOS, *places, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline()
        at = json.loads(self.first)["listen"] if "--json" in args else self.first.split()[2]
        self.port = int(at.rstrip(",").rpartition(":")[2])

    def ask(self, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
        ask = dns.query.tcp if tcp else dns.query.udp
        return ask(dns.message.make_query(name, kind), HOST, port=self.port, timeout=WITHIN_S)

    def values(self, name: str, kind: str = "A") -> list[str]:
        return [str(value) for rrset in self.ask(name, kind).answer for value in rrset]

    def end(self, number: int = signal.SIGINT) -> str:
        """All that it has said on standard output."""
        self.process.send_signal(number)
        said, complaints = self.rest()
        assert complaints == ""
        return said

    def rest(self) -> tuple[str, str]:
        """All that it has said on standard output and error, once it has ended well."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        # Not by `communicate`, which passes over what was read ahead with the first line.
        said = self.first + self.process.stdout.read()
        complaints = self.process.stderr.read()
        assert self.process.wait(WITHIN_S) == 0
        return said, complaints


@contextlib.contextmanager
def running(*args: str, upstream: int) -> Iterator[Running]:
    command = Running(*args, upstream=upstream)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.communicate()


def refused(*args: str) -> str:
    """What it says to standard error when it ends at once."""
    done = subprocess.run(
        [*CHAOS, *args], capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_each_action_is_what_a_client_gets_and_the_end_tells_the_hits(upstream: int) -> None:
    rules = [
        "delay slow.test by=40ms jitter=10ms",
        "servfail *.broken.test",
        "refused refused.test",
        "nxdomain gone.test ttl=5s",
        "silence silent.test",
        "truncated big.test",
        "wrong bad.test answers=192.0.2.1,2001:db8::1 ttl=7s",
        "wrong text.test types=TXT answers='\"not so\"'",
        "servfail types=MX",
    ]
    options = [word for rule in rules for word in ("--rule", rule)]
    with running(*options, upstream=upstream) as dns_:
        assert dns_.values("fine.test") == ["127.0.0.9"]
        assert dns_.values("slow.test") == ["127.0.0.9"]
        assert dns_.ask("a.broken.test").rcode() == dns.rcode.SERVFAIL
        assert dns_.ask("b.broken.test", tcp=True).rcode() == dns.rcode.SERVFAIL
        assert dns_.values("broken.test") == ["127.0.0.9"]
        assert dns_.ask("refused.test").rcode() == dns.rcode.REFUSED
        gone = dns_.ask("gone.test")
        assert (gone.rcode(), gone.authority[0].ttl) == (dns.rcode.NXDOMAIN, 5)
        with pytest.raises(dns.exception.Timeout):
            dns.query.udp(
                dns.message.make_query("silent.test", "A"), HOST, port=dns_.port, timeout=SILENT_S
            )
        big = dns_.ask("big.test")
        assert (bool(big.flags & dns.flags.TC), big.answer) == (True, [])
        assert dns_.ask("big.test", tcp=True).answer
        assert dns_.values("bad.test") == ["192.0.2.1"]
        assert dns_.values("bad.test", "AAAA") == ["2001:db8::1"]
        assert dns_.values("text.test", "TXT") == ['"not so"']
        assert dns_.ask("fine.test", "MX").rcode() == dns.rcode.SERVFAIL
        said = dns_.end()
    expected = [1, 2, 1, 1, 1, 1, 2, 1, 1]
    for rule, count in zip(rules, expected, strict=True):
        assert f"{count} question{'' if count == 1 else 's'} met: {rule}\n" in said
    assert f"4 questions passed on to {HOST}:{upstream}\n" in said


def test_it_tells_where_it_answers_and_how_to_point_an_app_at_it(upstream: int) -> None:
    with running("--rule", "silence x.test", upstream=upstream) as dns_:
        said = dns_.end(signal.SIGTERM)
    assert said.splitlines()[:4] == [
        f"answering on {HOST}:{dns_.port}, UDP and TCP; passing on to {HOST}:{upstream}",
        "  rule 1: silence x.test",
        f"try it:  dig @{HOST} -p {dns_.port} example.com",
        f"use it:  as the DNS server in the app's own settings: {HOST}:{dns_.port}",
    ]
    assert "resolv.conf and docker run --dns take no port" in said
    assert said.splitlines()[-2:] == [
        "0 questions met: silence x.test",
        f"0 questions passed on to {HOST}:{upstream}",
    ]


def test_for_scripts_it_says_a_line_of_json_at_the_start_and_the_end(upstream: int) -> None:
    with running("--json", "--rule", "servfail *.x.test types=A", upstream=upstream) as dns_:
        dns_.ask("a.x.test")
        dns_.ask("b.test")
        first, last = map(json.loads, dns_.end().splitlines())
    rule = {"action": "servfail", "types": ["A"], "names": ["*.x.test"]}
    assert first == {
        "event": "listening",
        "listen": f"{HOST}:{dns_.port}",
        "upstreams": [f"{HOST}:{upstream}"],
        "rules": [rule],
    }
    assert last == {
        "event": "ended",
        "rules": [{"rule": rule, "hits": 1}],
        "upstreams": [{"upstream": f"{HOST}:{upstream}", "asked": 1, "failed": 0, "problem": ""}],
    }


def test_it_ends_by_itself_when_the_time_is_over(upstream: int) -> None:
    with running("--for", "100ms", upstream=upstream) as dns_:
        assert "passed on to" in dns_.rest()[0].splitlines()[-1]


def test_an_upstream_that_does_not_answer_is_told(upstream: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        free = sock.getsockname()[1]
    with running(upstream=free) as dns_:
        assert dns_.ask("a.test").rcode() == dns.rcode.SERVFAIL
        dns_.process.send_signal(signal.SIGINT)
        out, err = dns_.rest()
    assert err == f"upstream {HOST}:{free}: Connection refused\n"
    assert "1 without an answer (the last: Connection refused)" in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--listen", "127.0.0.1"], "--listen 127.0.0.1: it needs a port from 0 to 65535"),
        (["--listen", "127.0.0.1:99999"], "needs a port from 0 to 65535"),
        (["--listen", "localhost:5300"], "'localhost' is no IP address; write 127.0.0.1:5300"),
        (["--listen", "::1"], "it needs a port from 0 to 65535, such as [::1]:5300"),
        (["--listen", "0.0.0.0:0"], "others in the network could ask it; if they are meant to"),
        (["--listen", "192.0.2.1:0", "--expose"], "cannot listen on 192.0.2.1 port 0: "),
        (["--upstream", "dns.example"], "--upstream dns.example: 'dns.example' is no IP address"),
        (
            ["--listen", "127.0.0.1:5399", "--upstream", "127.0.0.1:5399"],
            "--upstream 127.0.0.1:5399 is where this very resolver answers",
        ),
        (
            ["--listen", "0.0.0.0:5399", "--expose", "--upstream", "127.0.0.1:5399"],
            "where this very resolver answers",
        ),
        (["--for", "soon"], "--for: 'soon' is no duration; write 250ms, 5s, 2m or 1h"),
        (["--rule", ""], "action: must be one of delay, servfail"),
        (["--rule", "delay x.test"], "--rule 'delay x.test': by: missing; 'delay' needs it"),
    ],
)
def test_what_cannot_be_is_one_sentence(args: list[str], says: str) -> None:
    said = refused("--upstream", "192.0.2.53", *args)
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_port_that_is_taken_is_told(upstream: int) -> None:
    said = refused("--upstream", "192.0.2.53", "--listen", f"{HOST}:{upstream}")
    assert f"cannot listen on {HOST} port {upstream}: Address already in use" in said
