"""Hosts as people write them: names, or literal addresses of a family."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

from probes.probe import Family

Server = tuple[str, int]
Transport = Literal["udp", "tcp"]
WORDS = {"any": "", "ipv4": "IPv4 ", "ipv6": "IPv6 "}


def checked_host(host: str) -> str:
    """The host, if it can be one; else ValueError."""
    if not re.fullmatch(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+", host):
        hint = "; its port is a setting of its own" if ":" in host else ""
        raise ValueError(f"{host!r} is no host name{hint}")
    return host


def fits(host: str, family: Family) -> str:
    """The host, unless it is a literal address of the other family: ValueError."""
    if is_address(host):
        own: Family = "ipv6" if ":" in host else "ipv4"
        if family not in ("any", own):
            raise ValueError(f"{host} is an {WORDS[own]}address, and family is {family}")
    return host


def is_address(host: str) -> bool:
    """Whether `host` is a literal IPv4 or IPv6 address, for which nobody is asked."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
