"""Each lever of an account, with a value to move it to, in an account that moto stands in for."""

from __future__ import annotations

from typing import Any, cast

from campaigns.account import Account
from moto_place import MotoPlace

from chaos.environments.environment import Environment
from chaos.levers import Lever
from chaos.levers.autoscaling import AutoscalingProcess
from chaos.levers.denial import knowing
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.endpoint_access import CLOSED, EndpointAccess, EndpointPolicy
from chaos.levers.failover import AWAY, CacheFailover, DatabaseFailover
from chaos.levers.replication_deny import BucketReplication, TableReplication
from chaos.levers.subnet_acl import NONE, SubnetAcl

RUN = "20261121-185000-region-outage-ab12"
REGION = "us-east-1"
UNTIL = {"until": "2026-11-21T19:00:00Z"}
ROLE = "arn:aws:iam::123456789012:role/replicator"

Case = tuple[Lever, Any]

# The kinds of levers that are checked in an account that moto stands in for, and not in a lab.
PUT_BACK = {
    "autoscaling_process",
    "bucket_replication",
    "endpoint_access",
    "endpoint_policy",
    "subnet_acl",
    "table_replication",
}
ONE_WAY = {"cache_failover", "database_failover", "instance_termination"}
# Each in a test of its own, with what moto leaves out: test_fis_lever.py and so on.
ON_THEIR_OWN = {"dns_firewall", "fis_experiment", "instance_dns"}
IN_ACCOUNTS = PUT_BACK | ONE_WAY | ON_THEIR_OWN


async def cases(place: Environment, account: Account) -> list[Case]:
    """Those that can be put back, whatever state theirs is in before."""
    found: list[Case] = [
        (SubnetAcl(region=REGION, subnet=subnet, run=RUN), NONE)
        for subnet in account.subnets(REGION)[:2]
    ]
    found += [
        (AutoscalingProcess(region=REGION, group="playback", process=process), "suspended")
        for process in ("Launch",)
    ]
    found += [case async for case in _endpoints(place)]
    found += [case async for case in _replications(place)]
    return found


async def _endpoints(place: Environment) -> Any:
    vpcs = await place.call("ec2", REGION, "describe_vpcs")
    tables = await place.call("ec2", REGION, "describe_route_tables")
    gateway = await place.call(
        "ec2",
        REGION,
        "create_vpc_endpoint",
        VpcId=vpcs["Vpcs"][0]["VpcId"],
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{REGION}.s3",
        RouteTableIds=[tables["RouteTables"][0]["RouteTableId"]],
    )
    name = gateway["VpcEndpoint"]["VpcEndpointId"]
    yield EndpointPolicy(region=REGION, endpoint=name, run=RUN), UNTIL
    for one in (await place.call("ec2", REGION, "describe_vpc_endpoints"))["VpcEndpoints"]:
        if one["VpcEndpointType"] == "Interface":
            yield EndpointAccess(region=REGION, endpoint=one["VpcEndpointId"], run=RUN), CLOSED


async def _replications(place: Environment) -> Any:
    for table in ("titles", "history"):
        arn = await _global_table(place, table)
        for resource in arn:
            lever = TableReplication(region=REGION, arn=resource, run=RUN)
            yield await knowing(lever, place.call), UNTIL
    for bucket, roles in (("titles", None), ("history", ROLE)):
        named = BucketReplication(region=REGION, bucket=f"{bucket}-{REGION}", roles=roles, run=RUN)
        yield await knowing(named, place.call), UNTIL


async def _global_table(place: Environment, table: str) -> list[str]:
    """The ARNs of a table and its stream."""
    described = await place.call("dynamodb", REGION, "describe_table", TableName=table)
    return [described["Table"]["TableArn"], described["Table"]["LatestStreamArn"]]


async def one_way(place: Environment) -> list[Case]:
    """Those that nothing puts back; what moto does not do of it is made up here."""
    image = await place.call(
        "ec2", REGION, "run_instances", ImageId="ami-1", MinCount=1, MaxCount=1
    )
    instance = image["Instances"][0]["InstanceId"]
    await _databases(place)
    make_up(cast("MotoPlace", place))
    return [
        (InstanceTermination(region=REGION, instance=instance), True),
        (DatabaseFailover(region=REGION, database="orders", cluster=True, was="orders-1"), AWAY),
        (DatabaseFailover(region=REGION, database="users", cluster=False, was="us-east-1a"), AWAY),
        (CacheFailover(region=REGION, group="sessions", shard="0001", was="sessions-001"), AWAY),
    ]


async def _databases(place: Environment) -> None:
    named = {"Engine": "aurora-mysql", "MasterUsername": "root", "MasterUserPassword": "password"}
    await place.call("rds", REGION, "create_db_cluster", DBClusterIdentifier="orders", **named)
    for number in (1, 2):
        await place.call(
            "rds",
            REGION,
            "create_db_instance",
            DBInstanceIdentifier=f"orders-{number}",
            DBClusterIdentifier="orders",
            DBInstanceClass="db.t3.medium",
            Engine="aurora-mysql",
        )


def make_up(place: MotoPlace) -> None:
    """A Multi-AZ instance and a replication group: in moto neither fails over."""
    users: dict[str, Any] = {
        "DBInstanceIdentifier": "users",
        "DBInstanceStatus": "available",
        "AvailabilityZone": "us-east-1a",
    }
    roles = {"sessions-001": "primary", "sessions-002": "replica"}

    def reboot(_params: dict[str, Any]) -> dict[str, Any]:
        users["DBInstanceStatus"] = "rebooting"
        return {}

    def fail_over(_params: dict[str, Any]) -> dict[str, Any]:
        roles.update({"sessions-001": "replica", "sessions-002": "primary"})
        return {}

    def groups(_params: dict[str, Any]) -> dict[str, Any]:
        members = [{"CacheClusterId": n, "CurrentRole": role} for n, role in roles.items()]
        shard = {"NodeGroupId": "0001", "NodeGroupMembers": members}
        group = {"ReplicationGroupId": "sessions", "Status": "available", "ARN": "arn:of:sessions"}
        return {"ReplicationGroups": [{**group, "NodeGroups": [shard]}]}

    place.answers |= {
        ("rds", "describe_db_instances"): lambda _: {"DBInstances": [users]},
        ("rds", "reboot_db_instance"): reboot,
        ("elasticache", "describe_replication_groups"): groups,
        ("elasticache", "list_tags_for_resource"): lambda _: {"TagList": []},
        ("elasticache", "test_failover"): fail_over,
    }
