"""An availability zone goes dark."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from chaos.errors import InvalidInput
from chaos.faults.chosen import Chosen
from chaos.faults.fault import Coverage, Fault, Fidelity, Look, Pull
from chaos.levers.lab import CLOSED, Reachability
from chaos.levers.powers import Grants


class ZoneOutage(Fault):
    """Nothing in the availability zone is reached, from outside or by its region's balancers.

    The region goes on: its AWS API answers, its balancers send what comes to the other zones once
    their health checks have noticed. Instances of the zone run on, and are there again when it is
    lifted.

    In a real account it cuts off those of the `subnets` that are in the zone; they must be given.
    Where `databases` and `caches` are, they fail over, as they would. Nothing puts a failover back,
    so that has to be allowed: `allow_irreversible: [database_failover, cache_failover]`. In a lab
    these three mean nothing.
    """

    summary: ClassVar[str] = "an availability zone goes dark; its region goes on"
    example: ClassVar[str] = """\
- kind: zone_outage
  zone: us-east-1a
  lasts: 60s
"""
    account_levers: ClassVar[tuple[str, ...]] = (
        "cache_failover",
        "database_failover",
        "subnet_acl",
    )
    fidelity: ClassVar[dict[str, Fidelity]] = {
        "embedded": "lab",
        "localstack": "lab",
        "aws": "real",
    }

    kind: Literal["zone_outage"]
    zone: str = Field(
        description="the zone that fails, such as us-east-1a; on aws its id does, too"
    )
    mode: Literal["hang", "refuse"] = Field(
        default="hang", description="whether connections hang or are refused (not on aws)"
    )
    region: str | None = Field(
        default=None, description="the zone's region; needed where the zone is given by its id"
    )
    subnets: Chosen | None = Field(
        default=None,
        description="on aws: which subnets of the zone are cut off; there it must be given",
    )
    databases: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="on aws: RDS clusters and Multi-AZ instances that fail over, for good",
    )
    caches: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="on aws: replication groups of ElastiCache that fail over, for good",
    )

    def grants(self) -> Grants:
        from chaos.faults import zone_on_aws

        return zone_on_aws.grants(self)

    def coverage(self) -> Coverage | None:
        from chaos.faults import zone_on_aws

        return zone_on_aws.coverage(self) if self.subnets else None

    async def inject(self, look: Look, pull: Pull) -> None:
        if look.kind == "aws":
            from chaos.faults import zone_on_aws

            await zone_on_aws.inject(self, look, pull)
        else:
            await self._in_a_lab(look, pull)

    async def _in_a_lab(self, look: Look, pull: Pull) -> None:
        lab = await look("lab", "", "describe_lab")
        zones = [zone for of_region in lab["zones"].values() for zone in of_region]
        if self.zone not in zones:
            known = ", ".join(zones)
            raise InvalidInput(f"zone_outage: no zone {self.zone!r} here; there is {known}")
        await pull(Reachability(scope=self.zone), CLOSED[self.mode])
