"""Which resources the targets of an FIS template mean now: FIS itself says so only when it starts.

Never fewer than FIS will pick from. Of COUNT(n) and PERCENT(n) that is all from which it may draw;
and a filter that only FIS can apply is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InvalidInput
from chaos.levers.marked import tag_map
from chaos.levers.paging import every
from chaos.levers.powers import Target

Found = Mapping[str, Any]

# What describes a type with all that FIS filters by: operation, key of the answer, key of the id.
DESCRIBED = {
    "ec2:instance": ("describe_instances", "Reservations", "InstanceId"),
    "ec2:spot-instance": ("describe_instances", "Reservations", "InstanceId"),
    "ec2:subnet": ("describe_subnets", "Subnets", "SubnetId"),
    "ec2:ebs-volume": ("describe_volumes", "Volumes", "VolumeId"),
}
ROLE = "iam:role"
GROUP_TYPE = "ec2:autoscaling-group"
BY_NAME = (GROUP_TYPE, "eks:pod")
GROUP_TAG = "aws:autoscaling:groupName"
# What Resource Groups Tagging calls the others; None: it may be of several types.
TAGGED = {
    "arc:zonal-shift-managed-resource": None,
    "directconnect:virtual-interface": "directconnect:dxvif",
    "dsql:cluster": "dsql:cluster",
    "dynamodb:global-table": "dynamodb:table",
    "ec2:transit-gateway": "ec2:transit-gateway",
    "ec2:vpc-endpoint": "ec2:vpc-endpoint",
    "ecs:cluster": "ecs:cluster",
    "ecs:task": "ecs:task",
    "eks:cluster": "eks:cluster",
    "eks:nodegroup": "eks:nodegroup",
    "elasticache:replicationgroup": "elasticache:replicationgroup",
    "kinesis:stream": "kinesis:stream",
    "lambda:function": "lambda:function",
    "memorydb:multi-region-cluster": None,
    "rds:cluster": "rds:cluster",
    "rds:db": "rds:db",
    "s3:bucket": "s3",
}
# What lists all of a type, to know among how many they are.
LISTED = {
    "dynamodb:global-table": ("dynamodb", "list_tables", "TableNames"),
    "rds:cluster": ("rds", "describe_db_clusters", "DBClusters"),
    "rds:db": ("rds", "describe_db_instances", "DBInstances"),
    "s3:bucket": ("s3", "list_buckets", "Buckets"),
}
MOST_ARNS = 100  # in one question


async def resolved(
    environment: Environment, region: str, targets: Mapping[str, Mapping[str, Any]]
) -> list[Target]:
    """All resources that the targets of a template mean, each once; raises CallFailed."""
    found: dict[tuple[str, str], Target] = {}
    for name, wanted in targets.items():
        kind = wanted["resourceType"].removeprefix("aws:")
        for target in await _of_one(environment, region, name, kind, wanted):
            found[target.type, target.id] = target
    return list(found.values())


def of_account(target: Target, account: str) -> Target:
    """Known by its account too, where its id is a name that another account may have as well."""
    if target.type not in BY_NAME:
        return target
    return replace(target, id=f"{account}:{target.id}")


def refuse_missing(targets: Mapping[str, Found], found: Iterable[Target]) -> None:
    """Raises InvalidInput for what the targets name and nobody has found: no guard has seen it."""
    found = list(found)
    ids = {target.id for target in found} | {target.id.rpartition(":")[2] for target in found}
    named = {arn for wanted in targets.values() for arn in wanted.get("resourceArns") or ()}
    if missing := sorted(arn for arn in named if ids.isdisjoint((arn, arn.rpartition("/")[2]))):
        raise InvalidInput(f"fis: not found, so no guard can look at it: {', '.join(missing)}")


async def _of_one(
    environment: Environment, region: str, name: str, kind: str, wanted: Found
) -> list[Target]:
    arns = wanted.get("resourceArns") or ()
    if elsewhere := [arn for arn in arns if arn.split(":")[3] not in ("", region)]:
        raise InvalidInput(f"fis: the target {name!r} is not in {region}: {', '.join(elsewhere)}")
    if kind in DESCRIBED:
        return await described(environment, region, kind, wanted)
    if kind == "eks:pod":
        return [_pods(region, wanted.get("parameters", {}))]
    if kind == GROUP_TYPE:
        return await _groups(environment, region, wanted)
    if wanted.get("resourceArns"):
        return await _named(environment, region, kind, wanted["resourceArns"])
    if kind in TAGGED and wanted.get("resourceTags"):
        return await _tagged(environment, region, kind, wanted["resourceTags"])
    raise InvalidInput(
        f"fis: which resources the target {name!r} of type aws:{kind} means cannot be told"
        " before FIS starts; name them in resourceArns"
    )


async def described(
    environment: Environment, region: str, kind: str, wanted: Found
) -> list[Target]:
    """The resources of a type of EC2 that a target means, as Describe tells them."""
    operation, key, id_key = DESCRIBED[kind]
    found = await every(environment.call, "ec2", region, operation, key)
    if key == "Reservations":
        found = [instance for reservation in found for instance in reservation["Instances"]]
    ids = {arn.rpartition("/")[2] for arn in wanted.get("resourceArns") or ()}
    return [
        _target(kind, region, resource, resource[id_key], len(found))
        for resource in found
        if _meant(resource, resource[id_key], ids, wanted)
    ]


def _meant(resource: Found, id_: str, ids: set[str], wanted: Found) -> bool:
    if ids:  # FIS takes neither tags nor filters beside them
        return id_ in ids
    zone = wanted.get("parameters", {}).get("availabilityZoneIdentifier")
    zones = {resource.get("AvailabilityZone"), resource.get("AvailabilityZoneId")}
    return (
        wanted.get("resourceTags", {}).items() <= tag_map(resource.get("Tags")).items()
        and zone in (None, *zones)
        and all(_passes(resource, f) for f in wanted.get("filters") or ())
    )


def _passes(resource: Found, wanted: Found) -> bool:
    """FIS compares what stands at the path; of a list, any of its members."""
    found: list[Any] = [resource]
    for part in wanted["path"].split("."):
        found = [item.get(part) for item in found if isinstance(item, dict)]
        found = [i for item in found for i in (item if isinstance(item, list) else [item])]
    return any(_written(value) in wanted["values"] for value in found if value is not None)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _target(kind: str, region: str, resource: Found, id_: str, among: int) -> Target:
    tags = tag_map(resource.get("Tags"))
    placed = resource.get("Placement", resource)
    return Target(
        type=kind,
        id=id_,
        region=region,
        tags=tags,
        zone=placed.get("AvailabilityZone"),
        subnet=resource.get("SubnetId"),
        group=tags.get(GROUP_TAG),
        among=among,
    )


def _pods(region: str, parameters: Found) -> Target:
    """They have no ARN, and how many they are only the cluster knows."""
    where = ("clusterIdentifier", "namespace", "selectorType", "selectorValue")
    return Target(
        type="eks:pod", id="/".join(parameters.get(key, "?") for key in where), region=region
    )


async def _groups(environment: Environment, region: str, wanted: Found) -> list[Target]:
    found = await every(
        environment.call,
        "autoscaling",
        region,
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
    )
    arns, tags = wanted.get("resourceArns") or (), wanted.get("resourceTags", {})
    return [
        Target(
            type=GROUP_TYPE,
            id=group["AutoScalingGroupName"],
            region=region,
            tags=tag_map(group.get("Tags")),
            among=len(found),
        )
        for group in found
        if (group["AutoScalingGroupARN"] in arns if arns else _has(group, tags))
    ]


def _has(resource: Found, tags: Mapping[str, str]) -> bool:
    return tags.items() <= tag_map(resource.get("Tags")).items()


async def _named(environment: Environment, region: str, kind: str, arns: list[str]) -> list[Target]:
    """What has never had a tag is not listed, and has none."""
    found = await _resources(environment, region, ResourceARNList=list(arns)[:MOST_ARNS])
    tags = {item["ResourceARN"]: tag_map(item["Tags"]) for item in found}
    if kind == ROLE:  # Resource Groups Tagging does not know them
        roles = {arn: await _role(environment, region, arn) for arn in arns}
        arns = [arn for arn in arns if roles[arn].get("Arn") == arn]
        tags = {arn: tag_map(roles[arn].get("Tags")) for arn in arns}
    among = await _among(environment, region, kind)
    return [
        Target(type=kind, id=arn, region=region, tags=tags.get(arn, {}), among=among)
        for arn in arns
    ]


async def _role(environment: Environment, region: str, arn: str) -> Found:
    try:
        answer = await environment.call("iam", region, "get_role", RoleName=arn.rpartition("/")[2])
    except CallFailed as error:
        if error.code == "NoSuchEntity":
            return {}
        raise
    found: Found = answer["Role"]
    return found


async def _tagged(
    environment: Environment, region: str, kind: str, tags: Mapping[str, str]
) -> list[Target]:
    only = {"ResourceTypeFilters": [TAGGED[kind]]} if TAGGED[kind] else {}
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    found = await _resources(environment, region, TagFilters=filters, **only)
    among = await _among(environment, region, kind)
    return [
        Target(
            type=kind,
            id=item["ResourceARN"],
            region=region,
            tags=tag_map(item["Tags"]),
            among=among,
        )
        for item in found
    ]


async def _among(environment: Environment, region: str, kind: str) -> int | None:
    """How many there are of the type; None where this is not known here."""
    if kind not in LISTED:
        return None
    service, operation, key = LISTED[kind]
    return len(await every(environment.call, service, region, operation, key))


async def _resources(environment: Environment, region: str, **params: Any) -> list[Found]:
    found: list[Found] = []
    token = ""
    while True:
        page = await environment.call(
            "resourcegroupstaggingapi", region, "get_resources", PaginationToken=token, **params
        )
        found += page["ResourceTagMappingList"]
        token = page.get("PaginationToken", "")
        if not token:
            return found
