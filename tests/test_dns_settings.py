"""What `chaos dns` makes of its options, and what it tells: rules in one line, addresses, hints."""

from __future__ import annotations

import asyncio
from typing import Any

import dns.resolver
import pytest

from chaos.cli.dns_places import upstreams_of
from chaos.cli.dns_rule_text import read_rule
from chaos.cli.dns_session import Session, how_to_use
from chaos.errors import EnvironmentFailed, InvalidInput
from chaos.proxies import dns as dns_module

HOST = "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("silence", {"action": "silence"}),
        ("servfail a.test *.b.test", {"action": "servfail", "names": ["a.test", "*.b.test"]}),
        ("delay by=2s", {"action": "delay", "seconds": 2.0}),
        (
            "delay *.test by=2s jitter=500ms types=A,AAAA",
            {
                "action": "delay",
                "seconds": 2.0,
                "jitter": 0.5,
                "types": ["A", "AAAA"],
                "names": ["*.test"],
            },
        ),
        ("nxdomain ttl=1m", {"action": "nxdomain", "ttl": 60}),
        ("wrong answers=::1,192.0.2.1", {"action": "wrong", "answers": ["::1", "192.0.2.1"]}),
    ],
)
def test_a_rule_in_one_line(text: str, rule: dict[str, Any]) -> None:
    assert read_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dely a.test", "action: must be one of delay, servfail, "),
        ("delay by=2", "by: '2' is no duration; write 250ms, 5s, 2m or 1h"),
        ("delay by=2h", "by: must be a number of seconds from 0 to 3600, not 7200.0"),
        ("delay by=1s by=2s", "by: is given twice"),
        ("delay seconds=1s", "'seconds' is not known here; there is by, jitter, types, "),
        ("silence by=1s", "by: means nothing to 'silence', only to 'delay'"),
        ("nxdomain ttl=1500ms", "ttl: must be whole seconds"),
        ("nxdomain 'a", "No closing quotation"),
        ("wrong a.test", "answers: missing; 'wrong' needs it"),
        ("silence a*.test", "names: 'a*.test' is no pattern"),
    ],
)
def test_a_rule_that_cannot_be_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rule(text)
    assert str(caught.value).startswith(f"--rule {text!r}: ")
    assert says in str(caught.value)


class SystemResolver:
    """As dnspython reads it from /etc/resolv.conf."""

    nameservers = ("192.0.2.53", "2001:db8::53")
    port = 53


def test_the_resolvers_of_the_machine_are_asked_unless_one_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dns.resolver, "Resolver", SystemResolver)
    at = (HOST, 0)
    assert upstreams_of((), at) == [("192.0.2.53", 53), ("2001:db8::53", 53)]
    assert upstreams_of(["[::1]:99", "192.0.2.1"], at) == [("::1", 99), ("192.0.2.1", 53)]


def test_a_machine_without_a_resolver_needs_one_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", none)
    with pytest.raises(InvalidInput, match=r"name one: --upstream 192\.0\.2\.1$"):
        upstreams_of((), (HOST, 0))


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (("127.0.0.1", 5300), "in the app's own settings: 127.0.0.1:5300"),
        (("::1", 5300), "in the app's own settings: [::1]:5300"),
        (("127.0.0.1", 53), "nameserver 127.0.0.1 in resolv.conf"),
        (("127.0.0.1", 53), "a container has a loopback of its own: --listen 172.17.0.1:53"),
        (("172.17.0.1", 53), "docker run --dns 172.17.0.1"),
        (("172.17.0.1", 5300), "docker run --dns take no port: they need --listen …:53"),
    ],
)
def test_how_to_point_an_app_at_it_depends_on_where_it_is(at: tuple[str, int], says: str) -> None:
    assert says in how_to_use(at)


def test_a_port_that_is_root_s_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_host: str, _port: int) -> None:
        raise PermissionError(13, "not for you")

    monkeypatch.setattr(dns_module, "_datagrams", forbidden)
    session = Session([("192.0.2.1", 53)], [], as_json=False)
    with pytest.raises(EnvironmentFailed) as caught:
        asyncio.run(session.serve((HOST, 0), None))
    assert "Permission denied" in str(caught.value)
    assert "sysctl net.ipv4.ip_unprivileged_port_start=0" in str(caught.value)
