"""Route 53's data plane in the lab: what the AWS API says is what its DNS server answers.

AWS API ── refresh ──► zones ──► authority ──► DNS server
               └─────► checks ─► checkers ──────┘ healthy?
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import dns.message
from dns.rdatatype import RdataType
from dns.rdtypes.IN.A import A

from chaos.errors import EnvironmentFailed
from chaos.lab import routing
from chaos.lab.authority import Authority, Choose
from chaos.lab.health import CHECKERS, HealthCheckers, refuse_circles
from chaos.lab.health_check import HealthCheck, read_health_check
from chaos.lab.hosted_zones import Group, read_zone
from chaos.lab.inventory import LAB_TAG
from chaos.lab.remembered import Remembered
from chaos.proxies.dns import DnsServer
from chaos.proxies.dns_answers import answered
from chaos.proxies.dns_faulty import Faulty
from chaos.proxies.dns_rules import DnsRules
from chaos.proxies.dns_wire import UDP_PAYLOAD

# One operation of the AWS API: (service, region, operation, **params), as `AwsCalls.call`.
Call = Callable[..., Awaitable[dict[str, Any]]]

REGION = "us-east-1"  # where the control plane of Route 53 is
# What the API answers with, and how its next page is asked for.
PAGES = {
    "list_hosted_zones": ("HostedZones", {"Marker": "NextMarker"}),
    "list_health_checks": ("HealthChecks", {"Marker": "NextMarker"}),
    "list_resource_record_sets": (
        "ResourceRecordSets",
        {
            "StartRecordName": "NextRecordName",
            "StartRecordType": "NextRecordType",
            "StartRecordIdentifier": "NextRecordIdentifier",
        },
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the API said at one moment."""

    authority: Authority
    checks: list[HealthCheck]


class Route53:
    """Hosted zones answered by a DNS server, with checkers that really check.

    `ports` maps the port that a check names to the one that really listens. A change of the API
    takes effect `propagation` seconds of the loop after `refresh`. Latency records answer as to a
    viewer in `viewer_region`. Checks reach loopback addresses alone: a lab has no others. With
    `lab`, only the zones and checks are looked at that carry its name in the tag `chaos:lab`.
    """

    def __init__(
        self,
        call: Call,
        *,
        ports: Mapping[int, int],
        propagation: float,
        checkers: int = CHECKERS,
        viewer_region: str | None = None,
        lab: str | None = None,
    ) -> None:
        self._call = call
        self._lab = lab
        self._ports = ports
        self._propagation = propagation
        self._viewer_region = viewer_region
        self._rng = random.Random(random.getrandbits(64))
        self._reading = asyncio.Lock()  # what is read first takes effect first
        self._coming: list[asyncio.TimerHandle] = []
        self._authority = Authority()
        self.rules = DnsRules()  # what the DNS server's clients meet; the checkers ask nobody
        self._answers = Remembered(self._render, self._choose)
        self._server = DnsServer(Faulty(self._answers.respond, self.rules).respond)
        self._port = 0
        self._checkers = HealthCheckers(count=checkers, resolve=self._resolve, route=self._route)

    async def listen(self, port: int = 0) -> int:
        """Have the DNS server's port on 127.0.0.1; until `start` there are no zones."""
        self._port = self._port or await self._server.start(port=port)
        return self._port

    async def start(self, port: int = 0) -> int:
        """Read everything, answer and check; the port of the DNS server on 127.0.0.1.

        Raises EnvironmentFailed for what the lab does not have and CallFailed from the API.
        """
        async with self._reading:
            declared = await self._read()
            bound = await self.listen(port)
            self._forget_coming()  # read before, perhaps while the zones were being made
            self._apply(declared)
        return bound

    async def refresh(self) -> None:
        """Read everything again; it takes effect later. Raises as `start`, changing nothing."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._propagation
        async with self._reading:
            declared = await self._read()
            self._coming = [handle for handle in self._coming if handle.when() > loop.time()]
            self._coming.append(loop.call_at(due, self._apply, declared))

    def describe(self) -> dict[str, Any]:
        """The checks with their checkers' opinions, the zones and all names, as they are now."""
        return {
            "health_checks": self.checks(),
            "zones": self._authority.describe(),
            "names": self._authority.names(),
        }

    def checks(self) -> list[dict[str, Any]]:
        """The health checks with their checkers' opinions, as they are now."""
        return self._checkers.describe()

    async def stop(self) -> None:
        """End the checkers and the server; what would still take effect does not."""
        self._forget_coming()
        await self._checkers.stop()
        await self._server.stop()

    def answer(self, query: dns.message.QueryMessage) -> dns.message.Message:
        """What the DNS server says to a question now."""
        return self._authority.answer(query, self._choose, payload=UDP_PAYLOAD)

    def _render(self, wire: bytes, udp: bool, choose: Choose) -> bytes | None:
        say = functools.partial(self._authority.answer, choose=choose, payload=UDP_PAYLOAD)
        return answered(say, wire, udp=udp)

    def _choose(self, records: Group) -> Group:
        return routing.choose(
            records,
            self._checkers.healthy,
            self._rng,
            viewer_region=self._viewer_region,
            lookup=self._authority.lookup,
        )

    def _resolve(self, fqdn: str) -> str | None:
        answers = self.answer(dns.message.make_query(fqdn, RdataType.A)).answer
        addresses = [
            cast("A", value).address
            for rrset in answers
            for value in rrset
            if rrset.rdtype == RdataType.A
        ]
        return self._rng.choice(addresses) if addresses else None

    def _route(self, ip: str, port: int) -> tuple[str, int] | None:
        if not ipaddress.ip_address(ip).is_loopback:
            return None  # a copied production check must not be asked of production
        return ip, self._ports.get(port, port)

    def _apply(self, declared: Declared) -> None:
        self._authority = declared.authority
        self._answers.forget()
        self._checkers.set(declared.checks)

    def _forget_coming(self) -> None:
        while self._coming:
            self._coming.pop().cancel()

    async def _read(self) -> Declared:
        zones = [
            read_zone(zone, await self._list("list_resource_record_sets", HostedZoneId=zone["Id"]))
            for zone in await self._own_zones()
        ]
        listed = await self._list("list_health_checks")
        tags = await self._tags("healthcheck", [check["Id"] for check in listed])
        checks = [
            read_health_check(check, tags.get(check["Id"], {}).get("Name", ""))
            for check in listed
            if self._ours(tags.get(check["Id"], {}))
        ]
        refuse_circles(checks)
        return Declared(authority=Authority(zones), checks=checks)

    async def _own_zones(self) -> list[dict[str, Any]]:
        listed = await self._list("list_hosted_zones")
        if self._lab is None:
            return listed
        ids = {zone["Id"].removeprefix("/hostedzone/"): zone for zone in listed}
        tags = await self._tags("hostedzone", [*ids])
        return [zone for id_, zone in ids.items() if self._ours(tags.get(id_, {}))]

    def _ours(self, tags: Mapping[str, str]) -> bool:
        return self._lab is None or tags.get(LAB_TAG) == self._lab

    async def _list(self, operation: str, **params: Any) -> list[dict[str, Any]]:
        key, tokens = PAGES[operation]
        items: list[dict[str, Any]] = []
        at: dict[str, str] = {}
        while True:
            page = await self._call("route53", REGION, operation, **params, **at)
            items += page[key]
            if not page.get("IsTruncated"):
                return items
            after = {ask: page[told] for ask, told in tokens.items() if page.get(told)}
            if after == at:
                raise EnvironmentFailed(f"the API never gets to the end of {operation}")
            at = after

    async def _tags(self, kind: str, ids: list[str]) -> dict[str, dict[str, str]]:
        """The tags of each; the names of checks are among them, as the console shows them.

        Asked for one by one: not every emulator knows ListTagsForResources.
        """
        asked = [
            self._call(
                "route53", REGION, "list_tags_for_resource", ResourceType=kind, ResourceId=id
            )
            for id in ids  # noqa: A001  # its name in the API
        ]
        told = [answer["ResourceTagSet"]["Tags"] for answer in await asyncio.gather(*asked)]
        return {
            id: {tag["Key"]: tag["Value"] for tag in tags}
            for id, tags in zip(ids, told, strict=True)  # noqa: A001  # as above
        }
