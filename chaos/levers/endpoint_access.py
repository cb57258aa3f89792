"""The levers that cut VPC endpoints off: the ways to AWS services from inside a VPC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import CallFailed
from chaos.levers.denial import Denial, Found, parse
from chaos.levers.lever import Value
from chaos.levers.marked import FOR, TAG, refuse_others, tag_map, tags
from chaos.levers.paging import Call as Calling
from chaos.levers.paging import every
from chaos.levers.policies import Statement
from chaos.levers.powers import Call, Grant, Grants, Target
from chaos.levers.settled import settled
from chaos.levers.swapped import GONE, halfway, left, reading

Described = dict[str, Any]

CLOSED = "closed"
ENDED = ("deleting", "deleted")  # states of endpoints
UNKNOWN = ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")
ENDPOINTS, GROUPS = "arn:aws:ec2:*:*:vpc-endpoint/*", "arn:aws:ec2:*:*:security-group/*"
LOOKS = Grant(actions=("ec2:DescribeVpcEndpoints",))
MODIFIES = Grant(actions=("ec2:ModifyVpcEndpoint",), resources=(ENDPOINTS,))
SWAPS = Grant(actions=("ec2:ModifyVpcEndpoint",), resources=(ENDPOINTS, GROUPS))
# What EC2 answers while it does not know yet what it was told before.
NOT_YET = (
    "InvalidGroup.Duplicate",
    "InvalidGroup.NotFound",
    "InvalidSecurityGroupId.NotFound",
    "DependencyViolation",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAccess:
    """The security groups of an interface endpoint; or `closed`: an empty one of ours alone.

    It lets nothing in. Connections that are open already may go on until they are idle, because
    security groups keep track of them. Put back by giving the endpoint its groups again and
    deleting ours. A group of ours that somebody else has opened is a conflict, and is kept.
    """

    kind: ClassVar[str] = "endpoint_access"
    irreversible: ClassVar[bool] = False
    grants: ClassVar[Grants] = Grants(
        looks=(LOOKS, Grant(actions=("ec2:DescribeSecurityGroups",))),
        injects=(
            Grant(
                actions=("ec2:CreateSecurityGroup",),
                resources=(GROUPS,),
                conditions={"StringLike": {f"aws:RequestTag/{TAG}": "*"}},
            ),
            Grant(actions=("ec2:CreateSecurityGroup",), resources=("arn:aws:ec2:*:*:vpc/*",)),
            Grant(
                actions=("ec2:CreateTags",),
                resources=(GROUPS,),
                conditions={"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}},
            ),
            SWAPS,
        ),
        puts_back=(
            SWAPS,
            Grant(
                actions=("ec2:DeleteSecurityGroup",),
                resources=(GROUPS,),
                conditions={"StringLike": {f"aws:ResourceTag/{TAG}": "*"}},
            ),
        ),
    )

    region: str
    endpoint: str
    run: str = ""

    async def read(self, environment: Environment) -> Value:
        endpoint, ours = await self._look(environment)
        groups = _groups(endpoint)
        unused = [group["GroupId"] for group in ours if group["GroupId"] not in groups]
        if endpoint is None:
            return reading(GONE, unused)
        return reading(CLOSED if _closed(groups, ours) else {"groups": groups}, unused)

    async def set(self, environment: Environment, value: Value) -> None:
        made: list[str] = []  # a look may not tell of it yet, and one is enough

        async def step() -> None:
            endpoint, found = await self._look(environment)
            groups, ours = _groups(endpoint), [group["GroupId"] for group in found]
            wanted = groups
            if value == CLOSED:
                there = self._there(endpoint)
                made[:] = made or [i for i in ours if i in groups] or ours[:1]
                wanted = made[:] = made or [await self._create(environment, there)]
            elif _closed(groups, found):
                wanted = value["groups"]
            if groups != sorted(wanted):
                await self._swap(environment, groups, wanted)
            for group in ours:
                if group not in wanted:
                    await self._call(environment, "delete_security_group", GroupId=group)

        def foreign(found: Value) -> bool:
            return bool(CLOSED not in (value, found) and not left(found))

        await settled(self, environment, value, step, *NOT_YET, foreign=foreign)

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """Create and swap; or swap and delete."""
        if prior == value:
            return []
        swap = self._told("modify_vpc_endpoint", f"security groups of {self.endpoint}")
        ours = f"an empty security group for {self.endpoint}"
        if value == CLOSED:
            return [self._told("create_security_group", ours), swap]
        return [swap, self._told("delete_security_group", ours)]

    def halfway(self, found: Value, prior: Value, value: Value) -> bool:
        """Ours is there, and the endpoint does not have it."""
        return halfway(found, prior, value)

    async def targets(self, environment: Environment) -> list[Target]:
        """The endpoint."""
        return await _targets(environment, self.region, self.endpoint)

    def _there(self, endpoint: Described | None) -> Described:
        if endpoint is None:
            raise _missing(self.region, self.endpoint)
        return endpoint

    async def _look(self, environment: Environment) -> tuple[Described | None, list[Described]]:
        """The endpoint, if it is there, and all security groups that we have made for it."""
        endpoint = await _found(environment.call, self.region, self.endpoint)
        wanted = [{"Name": f"tag:{FOR}", "Values": [self.endpoint]}]
        marked = await every(
            environment.call,
            "ec2",
            self.region,
            "describe_security_groups",
            "SecurityGroups",
            Filters=wanted,
        )
        for group in marked:
            if group["GroupId"] in _groups(endpoint):
                refuse_others(self.endpoint, tag_map(group["Tags"]).get(TAG), self.run)
        ours = [group for group in marked if tag_map(group["Tags"]).get(TAG) == self.run]
        return endpoint, sorted(ours, key=lambda group: str(group["GroupId"]))

    async def _create(self, environment: Environment, endpoint: dict[str, Any]) -> str:
        marks = {"ResourceType": "security-group", "Tags": tags(self.run, self.endpoint)}
        answer = await self._call(
            environment,
            "create_security_group",
            GroupName=f"chaos {self.run} {self.endpoint}",
            Description="Lets nothing in. Of a drill, which removes it when it ends.",
            VpcId=endpoint["VpcId"],
            TagSpecifications=[marks],
        )
        return str(answer["GroupId"])

    async def _swap(self, environment: Environment, groups: list[str], wanted: list[str]) -> None:
        await self._call(
            environment,
            "modify_vpc_endpoint",
            VpcEndpointId=self.endpoint,
            AddSecurityGroupIds=[group for group in wanted if group not in groups],
            RemoveSecurityGroupIds=[group for group in groups if group not in wanted],
        )

    async def _call(
        self, environment: Environment, operation: str, **params: Any
    ) -> dict[str, Any]:
        return await environment.call("ec2", self.region, operation, **params)

    def _told(self, operation: str, to: str) -> Call:
        return Call(service="ec2", region=self.region, operation=operation, to=to)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPolicy(Denial):
    """Whether the policy of a gateway endpoint denies everything, until a time at the latest.

    S3 and DynamoDB refuse then what comes through it (403), instead of not answering. Put back by
    taking our statement out of the policy; AWS itself lets go of it at that time.
    """

    kind: ClassVar[str] = "endpoint_policy"
    service: ClassVar[str] = "ec2"
    puts: ClassVar[str] = "modify_vpc_endpoint"
    grants: ClassVar[Grants] = Grants(looks=(LOOKS,), injects=(MODIFIES,), puts_back=(MODIFIES,))

    region: str
    endpoint: str
    run: str = ""
    before: str | None = None

    @property
    def resource(self) -> str:
        return self.endpoint

    def denials(self) -> list[Statement]:
        return [{"Action": "*", "Resource": "*"}]

    async def found(self, call: Calling) -> Found:
        endpoint = await _endpoint(call, self.region, self.endpoint)
        return Found(policy=parse(endpoint.get("PolicyDocument")))

    async def put(self, environment: Environment, text: str, revision: str) -> None:
        await environment.call(
            "ec2", self.region, self.puts, VpcEndpointId=self.endpoint, PolicyDocument=text
        )

    async def delete(self, environment: Environment, revision: str) -> None:
        """To AWS's own, which lets everything through: an endpoint is never without a policy."""
        await environment.call(
            "ec2", self.region, self.puts, VpcEndpointId=self.endpoint, ResetPolicy=True
        )

    async def targets(self, environment: Environment) -> list[Target]:
        """The endpoint."""
        return await _targets(environment, self.region, self.endpoint)


def _groups(endpoint: Described | None) -> list[str]:
    return sorted(group["GroupId"] for group in (endpoint or {}).get("Groups", []))


def _closed(groups: list[str], ours: list[Described]) -> bool:
    """Whether one of ours is all that it has, as we have made it."""
    used = [group for group in ours if group["GroupId"] in groups]
    return len(groups) == len(used) == 1 and not used[0].get("IpPermissions")


async def _endpoint(call: Calling, region: str, endpoint: str) -> Described:
    found = await _found(call, region, endpoint)
    if found is None:
        raise _missing(region, endpoint)
    return found


async def _found(call: Calling, region: str, endpoint: str) -> Described | None:
    """One that is being deleted is not there any more: it is told of for some time."""
    try:
        answer = await call("ec2", region, "describe_vpc_endpoints", VpcEndpointIds=[endpoint])
    except CallFailed as error:
        if error.code not in UNKNOWN:
            raise
        return None
    there = [e for e in answer["VpcEndpoints"] if str(e.get("State")).lower() not in ENDED]
    return next(iter(there), None)


def _missing(region: str, endpoint: str) -> CallFailed:
    what = f"finding the endpoint {endpoint} in {region}"
    return CallFailed(what, "NotFound", "there is no such endpoint")


async def _targets(environment: Environment, region: str, endpoint: str) -> list[Target]:
    found = await every(environment.call, "ec2", region, "describe_vpc_endpoints", "VpcEndpoints")
    return [
        Target(
            type="ec2:vpc-endpoint",
            id=endpoint,
            region=region,
            tags=tag_map(one.get("Tags")),
            among=len(found),
        )
        for one in found
        if one["VpcEndpointId"] == endpoint
    ]
