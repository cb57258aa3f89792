"""Instances die for good."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints

from chaos.chance import draws
from chaos.errors import InvalidInput
from chaos.faults.chosen import within
from chaos.faults.fault import Fault, Fidelity, Look, Pull
from chaos.levers.ec2 import InstanceTermination as Termination
from chaos.levers.marked import tag_map
from chaos.levers.paging import every
from chaos.levers.powers import Grant, Grants

Pick = Annotated[str, StringConstraints(pattern=r"^(all|[1-9]\d{0,3}|([1-9]\d?|100)%)$")]

LOOKS = Grants(looks=(Grant(actions=("ec2:DescribeInstanceAttribute",)),))


class InstanceTermination(Fault):
    """Terminates running instances for good, chosen by id, tags and zone.

    It is a one-way door: nothing brings a terminated instance back, so the experiment must say
    `allow_irreversible: [instance_termination]`, and the report tells it. There is no `lasts`; the
    system is watched for as long as its objectives need.

    All that is given of `tags`, `zone` and `ids` must fit, and of the running instances that do,
    `pick` are drawn at random: `chaos plan` shows one draw, the run makes its own. To find fewer
    than are to be picked, or none at all, is an error before anything is touched. So is, in a real
    account, an instance among them that is protected from termination.
    """

    summary: ClassVar[str] = "terminate instances, chosen by id, tags and zone"
    example: ClassVar[str] = """\
- kind: instance_termination
  region: us-east-1
  tags: {service: playback}
  zone: us-east-1a
  pick: 1
"""
    account_levers: ClassVar[tuple[str, ...]] = ("instance_termination",)
    fidelity: ClassVar[dict[str, Fidelity]] = {
        "embedded": "lab",
        "localstack": "lab",
        "aws": "real",
    }
    one_way: ClassVar[bool] = True

    kind: Literal["instance_termination"]
    region: str = Field(description="the region of the instances")
    tags: dict[str, str] = Field(default_factory=dict, description="tags that all must have")
    zone: str | None = Field(default=None, description="only instances of this zone")
    ids: list[str] = Field(default_factory=list, description="only these instances")
    pick: Pick = Field(default="1", description="how many of them: 2, 50% (rounds down) or all")

    @property
    def draws(self) -> bool:
        return self.pick != "all"

    def everyone(self) -> Self:
        return self.model_copy(update={"pick": "all"})

    def grants(self) -> Grants:
        return within(Termination.grants | LOOKS, self.region)

    def services(self) -> frozenset[str]:
        return frozenset({"ec2"})

    async def inject(self, look: Look, pull: Pull) -> None:
        found = await self._matching(look)
        if missing := sorted(set(self.ids) - set(found)):
            raise InvalidInput(
                f"instance_termination: not among the running instances that match in"
                f" {self.region}: {', '.join(missing)}"
            )
        count = picked(self.pick, len(found))
        if not count:
            raise InvalidInput(
                f"instance_termination: picks nothing: {len(found)} running instances match"
                f" in {self.region} and pick is {self.pick}"
            )
        if look.kind == "aws":
            await self._refuse_protected(look, found)
        for instance in sorted(draws().sample(found, count)):
            await pull(Termination(region=self.region, instance=instance), True)

    async def _refuse_protected(self, look: Look, found: list[str]) -> None:
        """All that could be drawn: what a plan draws is not what the run will."""
        for instance in found:
            answer = await look(
                "ec2",
                self.region,
                "describe_instance_attribute",
                InstanceId=instance,
                Attribute="disableApiTermination",
            )
            if answer.get("DisableApiTermination", {}).get("Value"):
                raise InvalidInput(
                    f"instance_termination: {instance} matches and is protected from termination;"
                    " choose others, or lift its protection"
                )

    async def _matching(self, look: Look) -> list[str]:
        filters: list[dict[str, Any]] = [{"Name": "instance-state-name", "Values": ["running"]}]
        filters += [{"Name": f"tag:{k}", "Values": [v]} for k, v in self.tags.items()]
        pages = await every(
            look, "ec2", self.region, "describe_instances", "Reservations", Filters=filters
        )
        found = [
            instance
            for reservation in pages
            for instance in reservation["Instances"]
            # Not as a filter: LocalStack finds nothing by `availability-zone`.
            if self.zone in (None, instance["Placement"]["AvailabilityZone"])
            # EC2 takes * and ? in the values of filters for whatever stands there.
            and self.tags.items() <= tag_map(instance.get("Tags")).items()
        ]
        return [
            instance["InstanceId"]
            for instance in sorted(found, key=_place)
            if not self.ids or instance["InstanceId"] in self.ids
        ]


def _place(instance: dict[str, Any]) -> tuple[str, ...]:
    """What tells it apart in the system, and only then its id: a lab makes new ids each time."""
    tags = sorted(tag_map(instance.get("Tags")).items())
    launched = str(instance.get("LaunchTime", ""))
    zone = instance["Placement"]["AvailabilityZone"]
    return zone, str(tags), launched, instance["InstanceId"]


def picked(pick: str, of: int) -> int:
    """How many of `of` are picked by `2`, `50%` or `all`; 0 when that cannot be picked."""
    if pick == "all":
        return of
    if pick.endswith("%"):
        return of * int(pick[:-1]) // 100  # rounds down, as FIS does
    return int(pick) if int(pick) <= of else 0  # fewer than asked would be another experiment
