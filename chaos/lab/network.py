"""The lab's addresses: 127.<region>.<zone>.<host>, so that each says where it is.

Regions and zones count from 1 in the order of the declaration, hosts from 10; the balancers of a
region are in its zone 0. A host's number is never given out twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from chaos.errors import EnvironmentFailed
from chaos.lab.addresses import Address, Connect, Incoming, reserve
from chaos.lab.gates import Gates
from chaos.lab.hosts import Host
from chaos.lab.links import Links

FIRST_HOST, LAST_HOST = 10, 254


class Network:
    """Gives out addresses; all have one port (`port`, 0 for any), which stands for port 80."""

    def __init__(
        self,
        regions: Mapping[str, tuple[str, ...]],
        port: int = 0,
        services: Collection[str] = (),
    ) -> None:
        self.gates = Gates(regions)
        self.links = Links(services)
        self._regions = regions
        self._reserved = reserve(port)
        self.port: int = self._reserved.getsockname()[1]
        self._given: Counter[str] = Counter()

    def host(self, region: str, zone: str, socket: str, service: str = "") -> Host:
        """An address for an instance that answers on the unix socket; it drops until it is up.

        Raises EnvironmentFailed when the zone is full.
        """
        ip = self._give(region, self._regions[region].index(zone) + 1)
        self.links.lives_at(ip, service)
        return Host(
            ip,
            self.port,
            region=self.gates[region],
            zone=self.gates[zone],
            incoming=self._incoming(service, region),
            socket=socket,
        )

    def regional(self, region: str, connect: Connect, service: str = "") -> Address:
        """An address of the region itself, with what `connect` finds behind it."""
        ip = self._give(region, 0)
        gates, incoming = (self.gates[region],), self._incoming(service, region)
        return Address(ip, self.port, gates=gates, connect=connect, incoming=incoming)

    def close(self) -> None:
        """Give the port back."""
        self._reserved.close()

    def _incoming(self, service: str, region: str) -> Incoming:
        return lambda peer: self.links.link(peer, service, region)

    def _give(self, region: str, zone: int) -> str:
        prefix = f"127.{[*self._regions].index(region) + 1}.{zone}"
        number = FIRST_HOST + self._given[prefix]
        if number > LAST_HOST:
            raise EnvironmentFailed(f"the lab has no address left in {prefix}.0/24; start it anew")
        self._given[prefix] += 1
        return f"{prefix}.{number}"
