"""Which policies to deny replication in, for tables and buckets of a region that goes dark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from chaos.errors import CallFailed, InvalidInput
from chaos.faults.chosen import Moves
from chaos.faults.fault import Look
from chaos.levers.denial import knowing
from chaos.levers.powers import Grant, Grants
from chaos.levers.replication_deny import BUCKETS, BucketReplication, TableReplication

LOOKS = Grants(
    looks=(
        Grant(
            actions=("s3:GetBucketLocation", "s3:GetReplicationConfiguration"), resources=BUCKETS
        ),
    )
)
# What S3 calls two regions where it tells of a bucket's.
REGIONS = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}


async def of_tables(look: Look, region: str, tables: Iterable[str], until: str) -> Moves:
    """The levers of global tables and their streams; raises InvalidInput for another table."""
    moves: Moves = []
    for name in tables:
        answer = await _found(look, "dynamodb", region, "describe_table", TableName=name)
        table = answer["Table"]
        if not table.get("Replicas"):
            raise InvalidInput(f"region_outage: table {name} in {region} has no replica to pause")
        if table.get("MultiRegionConsistency") == "STRONG":
            raise InvalidInput(
                f"region_outage: table {name} is strongly consistent between regions, and no policy"
                " pauses that; the fault fis can: aws:dynamodb:global-table-pause-replication"
            )
        arns = [table["TableArn"], *filter(None, [table.get("LatestStreamArn")])]
        levers = [await knowing(TableReplication(region=region, arn=arn), look) for arn in arns]
        moves += [(lever, {"until": until}) for lever in levers]
    return moves


async def of_buckets(look: Look, region: str, buckets: Iterable[str], until: str) -> Moves:
    """The levers of the buckets, into which nothing may come, and of where they replicate to.

    There only the role of the bucket's own replication is denied: other sources go on.
    """
    denied: dict[str, set[str]] = defaultdict(set)
    for bucket in buckets:
        if (there := await _region(look, region, bucket)) != region:
            raise InvalidInput(f"region_outage: bucket {bucket} is in {there}, not in {region}")
        denied[bucket].add("*")
        for destination, role in await _destinations(look, region, bucket):
            denied[destination].add(role)
    moves: Moves = []
    for bucket, roles in sorted(denied.items()):
        lever = BucketReplication(
            region=await _region(look, region, bucket),
            bucket=bucket,
            roles=None if "*" in roles else ",".join(sorted(roles)),
        )
        moves.append((await knowing(lever, look), {"until": until}))
    return moves


async def _region(look: Look, region: str, bucket: str) -> str:
    answer = await _found(look, "s3", region, "get_bucket_location", Bucket=bucket)
    where = answer.get("LocationConstraint")
    return REGIONS.get(where) or str(where)


async def _destinations(look: Look, region: str, bucket: str) -> list[tuple[str, str]]:
    """Where the bucket's objects are replicated to, and by which role."""
    try:
        answer = await look("s3", region, "get_bucket_replication", Bucket=bucket)
    except CallFailed as error:
        if error.code == "ReplicationConfigurationNotFoundError":
            return []
        raise
    configuration = answer["ReplicationConfiguration"]
    return [
        (rule["Destination"]["Bucket"].rpartition(":")[2], configuration["Role"])
        for rule in configuration["Rules"]
        if rule["Status"] == "Enabled"
    ]


async def _found(look: Look, service: str, region: str, operation: str, **name: Any) -> Any:
    try:
        return await look(service, region, operation, **name)
    except CallFailed as error:
        if error.code in ("ResourceNotFoundException", "NoSuchBucket"):
            (called,) = name.values()
            raise InvalidInput(f"region_outage: there is no {called} in {region}") from error
        raise
