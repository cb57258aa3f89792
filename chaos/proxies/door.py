"""What the connections of one AWS API proxy share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from chaos.proxies.exchange import Admin, Seen
from chaos.proxies.queue_urls import TARGET
from chaos.proxies.rules import Rules


class Client(Protocol):
    """A client's connection, as the proxy sees it."""

    dialing: asyncio.Task[None] | None

    @property
    def buffered(self) -> int:
        """Bytes held on their way, in both directions."""

    def abort(self) -> None:
        """End it at once."""

    def rules_changed(self) -> None:
        """Other rules are in force."""


@dataclass(slots=True, kw_only=True, eq=False)
class Door:
    """What the connections of one proxy share."""

    upstream: tuple[str, int]
    rules: Rules
    seen: Seen | None
    admin: Admin | None = None
    keeps_queues: bool = False  # QueueUrls are to lead to the proxy
    requests: int = 0
    connections: set[Client] = field(default_factory=set)
    plain: bool = False  # nobody wants to know what the requests are

    def rules_changed(self) -> None:
        """Other rules are in force."""
        self.plain = not (self.seen or self.rules.items())
        for connection in list(self.connections):
            connection.rules_changed()

    def passes(self, data: bytes) -> bool:
        """Whether a request is of the usual kind: no HEAD, and not for the proxy itself."""
        if self.seen or data[0] <= 32 or data[:5] == b"HEAD ":
            return False
        if self.keeps_queues and TARGET in data:
            return False
        return self.admin is None or data.find(b" /_", 0, 12) < 0
