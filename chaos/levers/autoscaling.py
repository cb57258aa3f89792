"""Levers of Auto Scaling groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import CallFailed
from chaos.levers.lever import Value
from chaos.levers.marked import tag_map
from chaos.levers.paging import every
from chaos.levers.powers import Call, Grant, Grants, Target
from chaos.levers.settled import settled

OPERATIONS = {"suspended": "suspend_processes", "running": "resume_processes"}
GROUPS = "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoscalingProcess:
    """Whether a process of an Auto Scaling group, like `Launch`, is `running` or `suspended`.

    Put back to what it was: a process that was suspended before stays so.
    """

    kind: ClassVar[str] = "autoscaling_process"
    irreversible: ClassVar[bool] = False
    grants: ClassVar[Grants] = Grants(
        looks=(Grant(actions=("autoscaling:DescribeAutoScalingGroups",)),),
        injects=(Grant(actions=("autoscaling:SuspendProcesses",), resources=(GROUPS,)),),
        puts_back=(Grant(actions=("autoscaling:ResumeProcesses",), resources=(GROUPS,)),),
    )

    region: str
    group: str
    process: str

    async def read(self, environment: Environment) -> Value:
        answer = await environment.call(
            "autoscaling",
            self.region,
            "describe_auto_scaling_groups",
            AutoScalingGroupNames=[self.group],
        )
        if not answer["AutoScalingGroups"]:
            what = f"finding the Auto Scaling group {self.group} in {self.region}"
            raise CallFailed(what, "NotFound", "there is no such group")
        group: dict[str, Any] = answer["AutoScalingGroups"][0]
        suspended = {process["ProcessName"] for process in group.get("SuspendedProcesses", [])}
        return "suspended" if self.process in suspended else "running"

    async def set(self, environment: Environment, value: Value) -> None:
        async def step() -> None:
            if await self.read(environment) == value:
                return
            await environment.call(
                "autoscaling",
                self.region,
                OPERATIONS[value],
                AutoScalingGroupName=self.group,
                ScalingProcesses=[self.process],
            )

        # Another change of the group is under way, such as that of its other processes.
        await settled(self, environment, value, step, "ResourceContention")

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """One."""
        if prior == value:
            return []
        to = f"{self.process} of {self.group}"
        operation = OPERATIONS[value]
        return [Call(service="autoscaling", region=self.region, operation=operation, to=to)]

    async def targets(self, environment: Environment) -> list[Target]:
        """The group."""
        found = await every(
            environment.call,
            "autoscaling",
            self.region,
            "describe_auto_scaling_groups",
            "AutoScalingGroups",
        )
        return [
            Target(
                type="ec2:autoscaling-group",
                id=self.group,
                region=self.region,
                tags=tag_map(group.get("Tags")),
                group=self.group,
                among=len(found),
            )
            for group in found
            if group["AutoScalingGroupName"] == self.group
        ]
