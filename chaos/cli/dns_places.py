"""Addresses with ports, as they are given to `chaos dns`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence

from chaos.errors import InvalidInput

DNS_PORT = 53
ADDRESS = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:]+))(?::(?P<port>[0-9]{1,5}))?")

Place = tuple[str, int]


def place(text: str, port: int | None, option: str) -> Place:
    """`192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:5353`; raises InvalidInput."""
    found = ADDRESS.fullmatch(text)
    host = (found["six"] or found["four"]) if found else text
    if found and found["port"]:
        port = int(found["port"])
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise InvalidInput(
            f"{option} {text}: {host!r} is no IP address; write 127.0.0.1:5300 or [::1]:5300"
        ) from error
    if port is None or port > 65535:
        example = shown((host, 5300))
        raise InvalidInput(f"{option} {text}: it needs a port from 0 to 65535, such as {example}")
    return str(address), port


def shown(at: Place) -> str:
    """An address and port as people write them."""
    return f"[{at[0]}]:{at[1]}" if ":" in at[0] else f"{at[0]}:{at[1]}"


def listening(text: str, *, expose: bool) -> Place:
    """Where to listen; raises InvalidInput for what is not on loopback, without `expose`."""
    at = place(text, None, "--listen")
    if not ipaddress.ip_address(at[0]).is_loopback and not expose:
        raise InvalidInput(
            f"--listen {text}: others in the network could ask it; if they are meant to, add"
            " --expose"
        )
    return at


def allowed_of(networks: Sequence[str], at: Place) -> Callable[[str], bool] | None:
    """Whether an address may ask; None when all may that can. Raises InvalidInput."""
    try:
        given = [ipaddress.ip_network(text) for text in networks]
    except ValueError as error:
        raise InvalidInput(f"--allow: {error}; write a network such as 172.17.0.0/16") from error
    if given:
        return lambda address: any(_address(address) in network for network in given)
    if ipaddress.ip_address(at[0]).is_loopback:
        return None
    return lambda address: _address(address).is_private


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """One of IPv4 is that also when it has come through a socket of IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def upstreams_of(given: Sequence[str], at: Place) -> list[Place]:
    """The resolvers to ask: those given, or this machine's; raises InvalidInput."""
    asked = [place(text, DNS_PORT, "--upstream") for text in given] or _system()
    _refuse_circle(at, asked)
    return asked


def _system() -> list[Place]:
    import dns.resolver

    try:
        system = dns.resolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, OSError, ValueError) as error:
        raise InvalidInput(
            "this machine has no resolver in /etc/resolv.conf; name one: --upstream 192.0.2.1"
        ) from error
    return [(str(address), system.port) for address in system.nameservers]


def _refuse_circle(at: Place, asked: list[Place]) -> None:
    for upstream in asked:
        ours = upstream[0] == at[0] or ipaddress.ip_address(at[0]).is_unspecified
        if at[1] and upstream[1] == at[1] and ours:
            raise InvalidInput(
                f"--upstream {shown(upstream)} is where this very resolver answers; name another"
            )
