"""Levers of EC2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, RestoreFailed
from chaos.levers.marked import tag_map
from chaos.levers.paging import every
from chaos.levers.powers import Call, Grant, Grants, Target, Value
from chaos.levers.settled import settled

INSTANCES = "arn:aws:ec2:*:*:instance/*"
ENDED = ("shutting-down", "terminated")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceTermination:
    """Whether an instance is terminated.

    Never put back: it is a one-way door, and nothing brings an instance back.
    """

    kind: ClassVar[str] = "instance_termination"
    irreversible: ClassVar[bool] = True

    grants: ClassVar[Grants] = Grants(
        looks=(Grant(actions=("ec2:DescribeInstances",)),),
        injects=(Grant(actions=("ec2:TerminateInstances",), resources=(INSTANCES,)),),
    )

    region: str
    instance: str

    async def read(self, environment: Environment) -> Any:
        try:
            answer = await environment.call(
                "ec2", self.region, "describe_instances", InstanceIds=[self.instance]
            )
        except CallFailed as error:
            if error.code == "InvalidInstanceID.NotFound":
                return True  # EC2 forgets a terminated instance after about an hour
            raise
        found = [i for r in answer["Reservations"] for i in r["Instances"]]
        return all(i["State"]["Name"] in ENDED for i in found)

    async def set(self, environment: Environment, value: Any) -> None:
        if not value:
            raise RestoreFailed(f"instance {self.instance} is terminated; nothing brings it back")
        await environment.call(
            "ec2", self.region, "terminate_instances", InstanceIds=[self.instance]
        )
        await settled(self, environment, value)  # AWS answers before it is shutting down

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """One, and none back."""
        if prior == value or not value:
            return []
        called = {"service": "ec2", "operation": "terminate_instances"}
        return [Call(region=self.region, to=self.instance, **called)]

    async def targets(self, environment: Environment) -> list[Target]:
        """The instance, among those that are not terminated."""
        pages = await every(
            environment.call, "ec2", self.region, "describe_instances", "Reservations"
        )
        found = [instance for page in pages for instance in page["Instances"]]
        there = [i for i in found if i["State"]["Name"] not in ENDED]
        return [
            _target(i, self.region, len(there)) for i in there if i["InstanceId"] == self.instance
        ]


def _target(instance: dict[str, Any], region: str, among: int) -> Target:
    tags = tag_map(instance.get("Tags"))
    return Target(
        type="ec2:instance",
        id=instance["InstanceId"],
        region=region,
        tags=tags,
        zone=instance["Placement"]["AvailabilityZone"],
        subnet=instance.get("SubnetId"),
        group=tags.get("aws:autoscaling:groupName"),
        among=among,
    )
