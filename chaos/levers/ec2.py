"""Levers of EC2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tenacity import AsyncRetrying, retry_if_result, stop_after_attempt, wait_fixed

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, RestoreFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceTermination:
    """Whether an instance is terminated.

    Never put back: it is a one-way door, and nothing brings an instance back.
    """

    kind: ClassVar[str] = "instance_termination"
    irreversible: ClassVar[bool] = True

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
        return all(i["State"]["Name"] in ("shutting-down", "terminated") for i in found)

    async def set(self, environment: Environment, value: Any) -> None:
        if not value:
            raise RestoreFailed(f"instance {self.instance} is terminated; nothing brings it back")
        await environment.call(
            "ec2", self.region, "terminate_instances", InstanceIds=[self.instance]
        )
        # AWS answers before the instance is shutting down; 60 looks, a second apart, are ample.
        looks = AsyncRetrying(
            stop=stop_after_attempt(60),
            wait=wait_fixed(1),
            retry=retry_if_result(lambda terminated: not terminated),
        )
        await looks(self.read, environment)
