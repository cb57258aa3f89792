"""Which databases and caches fail over because the zone of their writer goes dark."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chaos.errors import CallFailed, InvalidInput
from chaos.faults.chosen import Moves
from chaos.faults.fault import Look
from chaos.levers.failover import AWAY, CacheFailover, DatabaseFailover, primary_of


async def of_databases(look: Look, region: str, zone: str, names: Iterable[str]) -> Moves:
    """The levers of clusters and Multi-AZ instances; raises InvalidInput for what cannot."""
    return [(await _database(look, region, zone, name), AWAY) for name in names]


async def of_caches(look: Look, region: str, zone: str, names: Iterable[str]) -> Moves:
    """The levers of all shards of replication groups whose primary is in the zone."""
    return [move for name in names for move in await _cache(look, region, zone, name)]


async def _database(look: Look, region: str, zone: str, name: str) -> DatabaseFailover:
    cluster = await _one(look, "rds", region, "describe_db_clusters", DBClusterIdentifier=name)
    if cluster is None:
        instance = await _instance(look, region, name)
        if not instance.get("MultiAZ"):
            raise InvalidInput(f"zone_outage: database {name} is not Multi-AZ: nothing takes over")
        _in_zone(f"database {name}", instance, instance["AvailabilityZone"], zone)
        return DatabaseFailover(region=region, database=name, cluster=False, was=zone)
    members = cluster["DBClusterMembers"]
    writer = next((m["DBInstanceIdentifier"] for m in members if m["IsClusterWriter"]), None)
    if writer is None or len(members) < 2:
        raise InvalidInput(f"zone_outage: cluster {name} has no reader: nothing takes over")
    where = (await _instance(look, region, writer))["AvailabilityZone"]
    _in_zone(f"the writer of {name}", cluster, where, zone)
    return DatabaseFailover(region=region, database=name, cluster=True, was=writer)


async def _instance(look: Look, region: str, name: str) -> dict[str, Any]:
    found = await _one(look, "rds", region, "describe_db_instances", DBInstanceIdentifier=name)
    if found is None:
        raise InvalidInput(f"zone_outage: there is no database {name} in {region}")
    return found


async def _cache(look: Look, region: str, zone: str, name: str) -> Moves:
    group = await _one(
        look, "elasticache", region, "describe_replication_groups", ReplicationGroupId=name
    )
    if group is None:
        raise InvalidInput(f"zone_outage: there is no replication group {name} in {region}")
    moves: Moves = []
    for shard in group["NodeGroups"]:
        primary = primary_of(shard)
        if primary is None:
            raise InvalidInput(
                f"zone_outage: of {name} AWS does not tell which nodes are primaries (cluster mode"
                " is on); the fault fis can: aws:elasticache:replicationgroup-interrupt-az-power"
            )
        nodes = shard["NodeGroupMembers"]
        where = next(n for n in nodes if n["CacheClusterId"] == primary)
        _in_zone(f"the primary of {name}", group, where["PreferredAvailabilityZone"], zone)
        lever = CacheFailover(region=region, group=name, shard=shard["NodeGroupId"], was=primary)
        moves.append((lever, AWAY))
    return moves


def _in_zone(what: str, found: dict[str, Any], where: str, zone: str) -> None:
    """Raises InvalidInput when it is elsewhere, or when it is busy already."""
    status = found.get("Status") or found.get("DBInstanceStatus")
    if where != zone:
        raise InvalidInput(f"zone_outage: {what} is in {where}: an outage of {zone} spares it")
    if status != "available":
        raise InvalidInput(f"zone_outage: {what} is {status}, and it would have to be available")


async def _one(
    look: Look, service: str, region: str, operation: str, **name: Any
) -> dict[str, Any] | None:
    """The only one that has the name; None when there is none."""
    try:
        answer = await look(service, region, operation, **name)
    except CallFailed as error:
        if "NotFound" in error.code:
            return None
        raise
    found = next((value for value in answer.values() if isinstance(value, list)), [])
    return found[0] if found else None
