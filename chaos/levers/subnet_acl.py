"""The lever that cuts a subnet off: its network ACL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import CallFailed
from chaos.levers.lever import Value
from chaos.levers.marked import TAG, filters, refuse_others, tag_map, tags
from chaos.levers.paging import every
from chaos.levers.powers import Call, Grant, Grants, Target
from chaos.levers.settled import settled
from chaos.levers.swapped import GONE, halfway, left, reading

NONE = "no traffic"
# From here on are the rules that AWS adds itself, which deny what no other rule allows.
AWS_OWN = 32767
# What EC2 answers while it does not know yet what it was told before.
NOT_YET = ("InvalidNetworkAclID.NotFound", "InvalidAssociationID.NotFound", "DependencyViolation")
ACLS = "arn:aws:ec2:*:*:network-acl/*"
OURS = {"StringLike": {f"aws:ResourceTag/{TAG}": "*"}}
TAGGED = {"StringLike": {f"aws:RequestTag/{TAG}": "*"}}
SWAPS = Grant(
    actions=("ec2:ReplaceNetworkAclAssociation",), resources=(ACLS, "arn:aws:ec2:*:*:subnet/*")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetAcl:
    """The network ACL of a subnet, by its id; or one of ours, under which there is no traffic.

    That one is empty, so AWS's own last rule denies everything in and out, of connections that are
    open too. The subnet's own ACL is never edited. Put back by giving the subnet its ACL again and
    deleting ours. An ACL of ours that somebody else has edited is a conflict, and is kept, as is
    another ACL that somebody gave the subnet; of a subnet that was deleted ours is taken away.
    """

    kind: ClassVar[str] = "subnet_acl"
    irreversible: ClassVar[bool] = False
    grants: ClassVar[Grants] = Grants(
        looks=(Grant(actions=("ec2:DescribeNetworkAcls", "ec2:DescribeSubnets")),),
        injects=(
            Grant(actions=("ec2:CreateNetworkAcl",), resources=(ACLS,), conditions=TAGGED),
            Grant(actions=("ec2:CreateNetworkAcl",), resources=("arn:aws:ec2:*:*:vpc/*",)),
            Grant(
                actions=("ec2:CreateTags",),
                resources=(ACLS,),
                conditions={"StringEquals": {"ec2:CreateAction": "CreateNetworkAcl"}},
            ),
            SWAPS,
        ),
        puts_back=(
            SWAPS,
            Grant(actions=("ec2:DeleteNetworkAcl",), resources=(ACLS,), conditions=OURS),
        ),
    )

    region: str
    subnet: str
    run: str = ""

    async def read(self, environment: Environment) -> Value:
        acl, ours = await self._look(environment)
        if acl is None:
            return reading(GONE, ours)
        state = acl["NetworkAclId"]
        if _ours(acl):
            state = _edited(acl) or NONE
        return reading(state, [i for i in ours if i != acl["NetworkAclId"]])

    async def set(self, environment: Environment, value: Value) -> None:
        made: list[str] = []  # a look may not tell of it yet, and one is enough

        async def step() -> None:
            acl, ours = await self._look(environment)
            wanted = here = acl["NetworkAclId"] if acl else None
            if value == NONE:
                there = self._there(acl)
                made[:] = made or [i for i in ours if i == here] or ours[:1]
                made[:] = made or [await self._create(environment, there)]
                wanted = made[0]
            elif acl and _ours(acl) and not _edited(acl):
                wanted = value
            if acl and here != wanted:
                await self._swap(environment, acl, str(wanted))
            for acl_id in ours:
                if acl_id != wanted:
                    await self._call(environment, "delete_network_acl", NetworkAclId=acl_id)

        def foreign(found: Value) -> bool:
            return bool(NONE not in (value, found) and not left(found))

        await settled(self, environment, value, step, *NOT_YET, foreign=foreign)

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """Create and swap; or swap and delete."""
        if prior == value:
            return []
        swap = self._told("replace_network_acl_association", f"acl of {self.subnet}")
        if value == NONE:
            return [self._told("create_network_acl", f"an empty acl for {self.subnet}"), swap]
        return [swap, self._told("delete_network_acl", f"the empty acl for {self.subnet}")]

    def halfway(self, found: Value, prior: Value, value: Value) -> bool:
        """Ours is there, and the subnet does not have it."""
        return halfway(found, prior, value)

    async def targets(self, environment: Environment) -> list[Target]:
        """The subnet."""
        found = await every(environment.call, "ec2", self.region, "describe_subnets", "Subnets")
        return [
            Target(
                type="ec2:subnet",
                id=self.subnet,
                region=self.region,
                tags=tag_map(subnet.get("Tags")),
                zone=subnet["AvailabilityZone"],
                subnet=self.subnet,
                among=len(found),
            )
            for subnet in found
            if subnet["SubnetId"] == self.subnet
        ]

    async def _look(self, environment: Environment) -> tuple[dict[str, Any] | None, list[str]]:
        """The ACL that the subnet has, if it is there; and the ids of all we have made for it."""
        here = [{"Name": "association.subnet-id", "Values": [self.subnet]}]
        found = await self._acls(environment, here)
        for acl in found:
            refuse_others(f"the network ACL of {self.subnet}", _ours(acl), self.run)
        ours = await self._acls(environment, filters(self.run, self.subnet)) if self.run else []
        return next(iter(found), None), sorted(acl["NetworkAclId"] for acl in ours)

    def _there(self, acl: dict[str, Any] | None) -> dict[str, Any]:
        if acl is None:
            what = f"finding the network ACL of {self.subnet} in {self.region}"
            raise CallFailed(what, "NotFound", "there is no such subnet")
        return acl

    async def _acls(self, environment: Environment, wanted: list[Any]) -> list[dict[str, Any]]:
        return await every(
            environment.call,
            "ec2",
            self.region,
            "describe_network_acls",
            "NetworkAcls",
            Filters=wanted,
        )

    async def _create(self, environment: Environment, beside: dict[str, Any]) -> str:
        marks = {"ResourceType": "network-acl", "Tags": tags(self.run, self.subnet)}
        answer = await self._call(
            environment, "create_network_acl", VpcId=beside["VpcId"], TagSpecifications=[marks]
        )
        return str(answer["NetworkAcl"]["NetworkAclId"])

    async def _swap(self, environment: Environment, acl: dict[str, Any], wanted: str) -> None:
        association = next(a for a in acl["Associations"] if a["SubnetId"] == self.subnet)
        await self._call(
            environment,
            "replace_network_acl_association",
            AssociationId=association["NetworkAclAssociationId"],
            NetworkAclId=wanted,
        )

    async def _call(
        self, environment: Environment, operation: str, **params: Any
    ) -> dict[str, Any]:
        return await environment.call("ec2", self.region, operation, **params)

    def _told(self, operation: str, to: str) -> Call:
        return Call(service="ec2", region=self.region, operation=operation, to=to)


def _ours(acl: dict[str, Any]) -> str | None:
    """The run that has made it; None when none has."""
    return tag_map(acl.get("Tags")).get(TAG)


def _edited(acl: dict[str, Any]) -> Value:
    """The rules that somebody has added to an ACL of ours; None when nobody has."""
    rules = [entry for entry in acl["Entries"] if entry["RuleNumber"] < AWS_OWN]
    return {"acl": acl["NetworkAclId"], "rules": rules} if rules else None
