"""The TCP ports on which somebody listens on this machine, as /proc/net tells them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

LISTENING = "0A"  # include/net/tcp_states.h
FILES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def host_ports() -> frozenset[int]:
    """Those of this process's network namespace."""
    return frozenset(port for file in FILES for port in listening(_read(file)))


def listening(table: str) -> Iterator[int]:
    """The ports in one such table: `sl local_address rem_address st …`, in hexadecimal."""
    for line in table.splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == LISTENING:
            yield int(local.rpartition(":")[2], 16)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:  # no IPv6 here
        return ""
