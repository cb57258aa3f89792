"""Finds the branch that the tool sits on, if it runs in one of the accounts of the experiment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from chaos.environments.environment import Environment
from chaos.environments.whoami import Whoami
from chaos.errors import ChaosError
from chaos.experiment import Experiment
from chaos.safety.facts import Branch

# What EC2 says of a resource that another account has, or none.
NOT_HERE = ("InvalidSubnetID.NotFound", "InvalidSubnetId.NotFound")
WAYS_OUT = {
    "endpoint": "a VPC endpoint of the network that chaos itself runs in",
    "beside": "the subnet of a VPC endpoint that chaos itself may reach AWS through",
    "nat": "the subnet of a NAT gateway that chaos itself may reach AWS through",
    "gateway": "a NAT gateway that chaos itself may reach AWS through",
    "acl": "the network ACL of the subnet that chaos itself runs in",
    "vpc": "the VPC that chaos itself runs in",
}


async def find(
    experiment: Experiment, environment: Environment, me: Whoami, undo_log: str | None
) -> Branch:
    """What the tool needs, in words; what cannot be read is in `unknown`."""
    own = {me.instance: "the instance that chaos itself runs on"}
    own |= {me.subnet: "the subnet that chaos itself runs in"}
    ids = {name: what for name, what in own.items() if name}
    ids |= dict.fromkeys(_store(undo_log), "where the undo log is kept")
    unknown: tuple[str, ...] = () if me.known else (me.why or "it cannot be told",)
    roles = {account.role for account in experiment.accounts.values()} | {me.role}
    if me.subnet and me.region:
        try:
            ids = await _ways_out(experiment, environment, me.region, me.subnet) | ids
        except (ChaosError, KeyError, IndexError) as error:
            unknown += (f"the network around {me.subnet} cannot be read: {error}",)
    return Branch(
        ids=ids,
        roles=frozenset(role for role in roles if role),
        region=me.region,
        unknown=unknown,
    )


def _store(undo_log: str | None) -> list[str]:
    """The name of the bucket, the table or the parameter that an undo log's URL names."""
    url = urlsplit(undo_log or "")
    return [name for name in (url.netloc or url.path,) if name]


async def _ways_out(
    experiment: Experiment, environment: Environment, region: str, subnet: str
) -> dict[str, str]:
    """By id, what lies between that subnet and the API of AWS, if an account here has it."""
    for name, account in experiment.accounts.items():
        if region not in account.regions:
            continue
        there = environment.at(name)
        try:
            found = await there.call("ec2", region, "describe_subnets", SubnetIds=[subnet])
        except ChaosError as error:
            if getattr(error, "code", None) in NOT_HERE:
                continue
            raise
        return await _of_network(there, region, subnet, found["Subnets"][0]["VpcId"])
    return {}


async def _of_network(there: Environment, region: str, subnet: str, vpc: str) -> dict[str, str]:
    async def ask(operation: str, answer: str, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            page = await there.call("ec2", region, operation, **params, **more)
            found += page[answer]
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}

    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    endpoints = await ask("describe_vpc_endpoints", "VpcEndpoints", Filters=in_vpc)
    gateways = await ask("describe_nat_gateways", "NatGateways", Filter=in_vpc)
    of_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
    acls = await ask("describe_network_acls", "NetworkAcls", Filters=of_subnet)
    beside = [name for endpoint in endpoints for name in endpoint.get("SubnetIds", ())]
    return {
        **_all("beside", beside),
        **_all("nat", [gateway["SubnetId"] for gateway in gateways]),
        **_all("gateway", [gateway["NatGatewayId"] for gateway in gateways]),
        **_all("endpoint", [endpoint["VpcEndpointId"] for endpoint in endpoints]),
        **_all("acl", [acl["NetworkAclId"] for acl in acls]),
        **_all("vpc", [vpc]),
    }


def _all(way: str, ids: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(ids, WAYS_OUT[way])
