"""What EC2 and Auto Scaling say there should be, as far as the lab makes it real."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

# One operation of the AWS API: (service, region, operation, **params), as `AwsCalls.call`.
Call = Callable[..., Awaitable[dict[str, Any]]]

GROUP_TAG = "aws:autoscaling:groupName"
LAB_TAG = "chaos:lab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One instance that EC2 has, or had."""

    id: str
    region: str
    zone: str
    state: str  # pending, running, shutting-down, terminated, stopping or stopped
    service: str | None  # its tag `service`; without it, the lab has nothing that it could run
    group: str | None  # the Auto Scaling group that launched it
    lab: str | None = None  # the lab that it was made for

    @property
    def runs(self) -> bool:
        """Whether EC2 wants it to run."""
        return self.state in ("pending", "running")


async def instances(call: Call, region: str) -> list[Wanted]:
    """All instances of a region."""
    pages = await every(call, "ec2", region, "describe_instances", "Reservations")
    return [_wanted(region, i) for reservation in pages for i in reservation["Instances"]]


async def launch_suspended(call: Call, region: str) -> set[str]:
    """The groups that may launch nothing now."""
    groups = await every(
        call, "autoscaling", region, "describe_auto_scaling_groups", "AutoScalingGroups"
    )
    return {
        group["AutoScalingGroupName"]
        for group in groups
        if any(p["ProcessName"] == "Launch" for p in group.get("SuspendedProcesses", []))
    }


def _wanted(region: str, instance: dict[str, Any]) -> Wanted:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    return Wanted(
        id=instance["InstanceId"],
        region=region,
        zone=instance["Placement"]["AvailabilityZone"],
        state=instance["State"]["Name"],
        service=tags.get("service"),
        group=tags.get(GROUP_TAG),
        lab=tags.get(LAB_TAG),
    )


async def every(
    call: Call, service: str, region: str, operation: str, key: str, **params: Any
) -> list[dict[str, Any]]:
    """What an operation lists below `key`, on all its pages."""
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = await call(service, region, operation, **params, **more)
        found += page[key]
        if not page.get("NextToken"):
            return found
        more = {"NextToken": page["NextToken"]}
