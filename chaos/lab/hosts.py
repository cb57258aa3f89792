"""An instance on the lab's network: reached from outside by its address, from inside by its zone.

client ── region gate ── zone gate ── instance
balancer of the region ── zone gate ── instance
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from chaos.lab.addresses import Address, Incoming
from chaos.lab.gates import Gate
from chaos.lab.relay import Relay

P = TypeVar("P", bound=asyncio.BaseProtocol)

SYN_AGAIN_S = 1.0  # of the lab: TCP's first retransmission of a SYN, RFC 6298 §2.1


class Host:
    """Where one instance is. Its number is its own for ever, so it outlives the process."""

    def __init__(
        self, ip: str, port: int, *, region: Gate, zone: Gate, incoming: Incoming, socket: str
    ) -> None:
        self.socket = socket
        self.zone = zone
        self.address = Address(
            ip,
            port,
            gates=(region, zone),
            connect=self._from_outside,
            incoming=incoming,
            up=False,
        )

    @property
    def ip(self) -> str:
        """The address."""
        return self.address.ip

    async def connect(self, make_protocol: Callable[[], P]) -> P:
        """A connection from inside the region; raises OSError.

        Where packets vanish it hangs, as TCP does: the caller bounds it.
        """
        while self.zone.state != "open" or not self.address.up:
            if self.zone.state != "open":
                self.zone.hits += 1
            if self.zone.state == "refuse":
                raise ConnectionRefusedError(f"{self.ip} refuses")
            await asyncio.sleep(SYN_AGAIN_S)
        loop = asyncio.get_running_loop()
        return (await loop.create_unix_connection(make_protocol, self.socket))[1]

    async def _from_outside(self, relay: Relay) -> tuple[Gate, ...]:
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: relay.far, self.socket)
        return ()  # the gates are the address' own
