"""A region goes dark."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from chaos.errors import InvalidInput
from chaos.faults.chosen import Chosen
from chaos.faults.fault import Coverage, Fault, Fidelity, Look, Pull
from chaos.levers.lab import CLOSED, ApiRule, Reachability, Replication
from chaos.levers.powers import Grants

# Their changes are made in us-east-1 for the whole world; their data planes go on. Source: AWS
# Fault Isolation Boundaries, "Global services" (partitional and edge services).
GLOBAL_CONTROL_PLANES = [
    "account",
    "cloudfront",
    "iam",
    "organizations",
    "route53",
    "route53domains",
]


class RegionOutage(Fault):
    """A region goes dark, as behind a severed link.

    Its AWS API calls fail, its addresses cannot be reached from outside, and its DynamoDB tables
    and S3 buckets stop replicating, in both directions. Traffic inside the region goes on; what it
    needs from the AWS API fails.

    When the region is `us-east-1`, the control planes that AWS runs there for the whole world fail
    too (IAM, Route 53, CloudFront, Organizations, Account). Their data planes go on, so DNS answers
    but records cannot be changed.

    In a real account nobody can switch a region off. There it cuts what you name, and only that:

    - `subnets`, which must be given: no traffic into them or out of them;
    - `endpoints`: the VPC endpoints are closed;
    - `launches`: the Auto Scaling groups neither launch nor terminate instances;
    - `tables` and `buckets`: they stop replicating, in both directions.

    `chaos plan` tells what goes on all the same. In a lab these five mean nothing.
    """

    summary: ClassVar[str] = "a region goes dark: API calls, addresses and replication"
    example: ClassVar[str] = """\
- kind: region_outage
  region: us-east-1
  lasts: 180s
"""
    account_levers: ClassVar[tuple[str, ...]] = (
        "autoscaling_process",
        "bucket_replication",
        "endpoint_access",
        "endpoint_policy",
        "subnet_acl",
        "table_replication",
    )
    fidelity: ClassVar[dict[str, Fidelity]] = {
        "embedded": "lab",
        "localstack": "lab",
        "aws": "real",
    }

    kind: Literal["region_outage"]
    region: str = Field(description="the region that fails, such as us-east-1")
    mode: Literal["hang", "refuse"] = Field(
        default="hang",
        description="hang: calls and connections are swallowed, as when packets are lost;"
        " refuse: they are reset at once (not on aws)",
    )
    subnets: Chosen | None = Field(
        default=None, description="on aws: the subnets that are cut off; there it must be given"
    )
    endpoints: Chosen | None = Field(
        default=None, description="on aws: the VPC endpoints that are closed"
    )
    launches: Chosen | None = Field(
        default=None,
        description="on aws: the Auto Scaling groups that neither launch nor terminate instances",
    )
    tables: tuple[str, ...] = Field(
        default=(), max_length=100, description="on aws: global tables that stop replicating"
    )
    buckets: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="on aws: buckets that stop replicating; what is written to them meanwhile is"
        " not replicated afterwards either",
    )

    def grants(self) -> Grants:
        from chaos.faults import region_on_aws

        return region_on_aws.grants(self)

    def coverage(self) -> Coverage | None:
        from chaos.faults import region_on_aws

        return region_on_aws.coverage(self) if self.subnets else None

    async def inject(self, look: Look, pull: Pull) -> None:
        if look.kind == "aws":
            from chaos.faults import region_on_aws

            await region_on_aws.inject(self, look, pull)
        else:
            await self._in_a_lab(look, pull)

    async def _in_a_lab(self, look: Look, pull: Pull) -> None:
        lab = await look("lab", "", "describe_lab")
        if self.region not in lab["regions"]:
            known = ", ".join(lab["regions"])
            raise InvalidInput(f"region_outage: no region {self.region!r} here; there is {known}")
        await pull(Replication(region=self.region), "off")
        await pull(
            ApiRule(id=f"region-outage-{self.region}"),
            {"action": self.mode, "regions": [self.region]},
        )
        if self.region == "us-east-1":
            await pull(
                ApiRule(id="global-control-planes"),
                {"action": self.mode, "services": GLOBAL_CONTROL_PLANES},
            )
        await pull(Reachability(scope=self.region), CLOSED[self.mode])
