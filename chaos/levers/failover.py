"""The levers that make databases and caches fail over. Nothing puts a failover back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, RestoreFailed
from chaos.levers.lever import Value
from chaos.levers.marked import tag_map
from chaos.levers.paging import every
from chaos.levers.powers import Call, Grant, Grants, Target
from chaos.levers.settled import settled

HERE, AWAY = "here", "away"
GROUPS = "arn:aws:elasticache:*:*:replicationgroup:*"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFailover:
    """Whether an RDS database is where it was, `here`, or has failed over from there, `away`.

    `was` is the writer's instance of a cluster (Aurora, Multi-AZ cluster), or the zone of a
    Multi-AZ instance, which is rebooted with failover. It is `away` from the moment at which AWS
    says that it fails over. Never put back: to fail over again would be one more interruption.
    """

    kind: ClassVar[str] = "database_failover"
    irreversible: ClassVar[bool] = True
    grants: ClassVar[Grants] = Grants(
        looks=(Grant(actions=("rds:DescribeDBClusters", "rds:DescribeDBInstances")),),
        injects=(
            Grant(actions=("rds:FailoverDBCluster",), resources=("arn:aws:rds:*:*:cluster:*",)),
            Grant(actions=("rds:RebootDBInstance",), resources=("arn:aws:rds:*:*:db:*",)),
        ),
    )

    region: str
    database: str
    cluster: bool
    was: str

    async def read(self, environment: Environment) -> Value:
        found = await self._describe(environment)
        if self.cluster:
            writers = [
                m["DBInstanceIdentifier"] for m in found["DBClusterMembers"] if m["IsClusterWriter"]
            ]
            return AWAY if found["Status"] == "failing-over" or writers != [self.was] else HERE
        rebooting = found["DBInstanceStatus"] in ("rebooting", "failing-over")
        return AWAY if rebooting or found["AvailabilityZone"] != self.was else HERE

    async def set(self, environment: Environment, value: Value) -> None:
        if value != AWAY:
            raise RestoreFailed(f"database {self.database} has failed over; that is not put back")
        if await self.read(environment) == AWAY:
            return
        if self.cluster:
            await self._call(environment, "failover_db_cluster", DBClusterIdentifier=self.database)
        else:
            name = {"DBInstanceIdentifier": self.database, "ForceFailover": True}
            await self._call(environment, "reboot_db_instance", **name)
        await settled(self, environment, value)

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """One, and none back."""
        if prior == value or value != AWAY:
            return []
        operation = "failover_db_cluster" if self.cluster else "reboot_db_instance"
        to = f"{self.database}, away from {self.was}"
        return [Call(service="rds", region=self.region, operation=operation, to=to)]

    async def targets(self, environment: Environment) -> list[Target]:
        """The cluster, or the instance."""
        operation = "describe_db_clusters" if self.cluster else "describe_db_instances"
        key = "DBClusters" if self.cluster else "DBInstances"
        found = await every(environment.call, "rds", self.region, operation, key)
        return [
            Target(
                type="rds:cluster" if self.cluster else "rds:db",
                id=self.database,
                region=self.region,
                tags=tag_map(one.get("TagList")),
                zone=one.get("AvailabilityZone"),
                among=len(found),
            )
            for one in found
            if one[f"{key[:-1]}Identifier"] == self.database
        ]

    async def _describe(self, environment: Environment) -> dict[str, Any]:
        operation, key = "describe_db_instances", "DBInstance"
        if self.cluster:
            operation, key = "describe_db_clusters", "DBCluster"
        name = {f"{key}Identifier": self.database}
        found: dict[str, Any] = (await self._call(environment, operation, **name))[f"{key}s"][0]
        return found

    async def _call(
        self, environment: Environment, operation: str, **params: Any
    ) -> dict[str, Any]:
        return await environment.call("rds", self.region, operation, **params)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFailover:
    """Whether a shard of an ElastiCache replication group has its primary `here`, or `away`.

    `was` is the node that was the primary. It is `away` from the moment at which AWS says that the
    group is being modified. Never put back: it would be one more interruption.
    """

    kind: ClassVar[str] = "cache_failover"
    irreversible: ClassVar[bool] = True
    grants: ClassVar[Grants] = Grants(
        looks=(
            Grant(
                actions=(
                    "elasticache:DescribeReplicationGroups",
                    "elasticache:ListTagsForResource",
                )
            ),
        ),
        injects=(Grant(actions=("elasticache:TestFailover",), resources=(GROUPS,)),),
    )

    region: str
    group: str
    shard: str
    was: str

    async def read(self, environment: Environment) -> Value:
        group = await self._describe(environment)
        shard = next((s for s in group["NodeGroups"] if s["NodeGroupId"] == self.shard), None)
        if shard is None:
            what = f"finding the shard {self.shard} of {self.group} in {self.region}"
            raise CallFailed(what, "NotFound", "there is no such shard")
        primary = primary_of(shard)
        return HERE if primary == self.was and group["Status"] == "available" else AWAY

    async def set(self, environment: Environment, value: Value) -> None:
        if value != AWAY:
            raise RestoreFailed(f"cache {self.group} has failed over; that is not put back")
        if await self.read(environment) == AWAY:
            return
        name = {"ReplicationGroupId": self.group, "NodeGroupId": self.shard}
        await environment.call("elasticache", self.region, "test_failover", **name)
        await settled(self, environment, value)

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """One, and none back."""
        if prior == value or value != AWAY:
            return []
        to = f"shard {self.shard} of {self.group}, away from {self.was}"
        called = {"service": "elasticache", "operation": "test_failover"}
        return [Call(region=self.region, to=to, **called)]

    async def targets(self, environment: Environment) -> list[Target]:
        """The replication group."""
        found = await every(
            environment.call,
            "elasticache",
            self.region,
            "describe_replication_groups",
            "ReplicationGroups",
        )
        group = next(g for g in found if g["ReplicationGroupId"] == self.group)
        tags = await environment.call(
            "elasticache", self.region, "list_tags_for_resource", ResourceName=group["ARN"]
        )
        return [
            Target(
                type="elasticache:replicationgroup",
                id=self.group,
                region=self.region,
                tags=tag_map(tags["TagList"]),
                among=len(found),
            )
        ]

    async def _describe(self, environment: Environment) -> dict[str, Any]:
        answer = await environment.call(
            "elasticache",
            self.region,
            "describe_replication_groups",
            ReplicationGroupId=self.group,
        )
        found: dict[str, Any] = answer["ReplicationGroups"][0]
        return found


def primary_of(shard: dict[str, Any]) -> str | None:
    """The node that is a shard's primary; None where AWS does not tell the roles."""
    members = shard.get("NodeGroupMembers", [])
    return next((m["CacheClusterId"] for m in members if m.get("CurrentRole") == "primary"), None)
