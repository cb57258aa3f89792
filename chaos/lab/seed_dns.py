"""Creates the declared hosted zone: its records, and their health checks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from chaos.lab.adoption import GLOBAL, There, record_key
from chaos.lab.declaration import Lab, Record
from chaos.lab.inventory import LAB_TAG, Call
from chaos.lab.made import Made
from probes.durations import parse

# The address of each balancer, by service and region.
Balancers = Mapping[tuple[str, str], str]


async def seed_dns(lab: Lab, call: Call, made: Made, there: There, balancers: Balancers) -> None:
    """Return when all of it is there; raises CallFailed or EnvironmentFailed.

    The records of a zone that is there are replaced by ours, and put back in the end.
    """
    zone = await there.zone(lab.dns.zone)
    before = await there.records(zone) if zone is not None else {}
    zone = zone or await _zone(lab, call, made)
    changes = [await _change(lab, call, made, record, balancers) for record in lab.dns.records]
    if not changes:
        return
    if before:
        back = [_back(change["ResourceRecordSet"], before) for change in changes]
        made.undo("route53", GLOBAL, "change_resource_record_sets", **_batch(zone, back))
    await call("route53", GLOBAL, "change_resource_record_sets", **_batch(zone, changes))


async def _zone(lab: Lab, call: Call, made: Made) -> str:
    created = await call(
        "route53",
        GLOBAL,
        "create_hosted_zone",
        Name=lab.dns.zone,
        CallerReference=f"chaos-lab-{lab.name}-{uuid.uuid4().hex}",
    )
    zone: str = created["HostedZone"]["Id"]
    made.undo("route53", GLOBAL, "delete_hosted_zone", Id=zone)
    await _tag(call, "hostedzone", zone.removeprefix("/hostedzone/"), {LAB_TAG: lab.name})
    return zone


async def _change(
    lab: Lab, call: Call, made: Made, record: Record, balancers: Balancers
) -> dict[str, Any]:
    addresses = [*record.values]
    if record.balancer is not None:
        addresses = [balancers[record.balancer.service, record.balancer.region]]
    name = record.name if record.failover is None else f"{record.name} ({record.failover})"
    rrset: dict[str, Any] = {
        "Name": record.name,
        "Type": "A",
        "TTL": int(record.ttl),
        "ResourceRecords": [{"Value": address} for address in addresses],
    }
    if record.failover is not None:
        rrset |= {"Failover": record.failover.upper(), "SetIdentifier": record.failover}
    if record.health_check is not None:
        check = await _health_check(call, made, record, addresses[0])
        await _tag(call, "healthcheck", check, {"Name": name, LAB_TAG: lab.name})
        rrset["HealthCheckId"] = check
    return {"Action": "UPSERT", "ResourceRecordSet": rrset}


async def _health_check(call: Call, made: Made, record: Record, address: str) -> str:
    assert record.health_check is not None  # noqa: S101  # asked by the caller
    created = await call(
        "route53",
        GLOBAL,
        "create_health_check",
        CallerReference=f"chaos-lab-{uuid.uuid4().hex}",
        HealthCheckConfig={
            "Type": "HTTP",
            "IPAddress": address,
            "Port": 80,
            "ResourcePath": record.health_check.path,
            "RequestInterval": int(parse(record.health_check.interval)),
            "FailureThreshold": record.health_check.threshold,
        },
    )
    check: str = created["HealthCheck"]["Id"]
    made.undo("route53", GLOBAL, "delete_health_check", HealthCheckId=check)
    return check


def _back(ours: dict[str, Any], before: dict[tuple[str, str, str], dict[str, Any]]) -> Any:
    """The change that undoes a record of ours."""
    prior = before.get(record_key(ours))
    if prior is None:
        return {"Action": "DELETE", "ResourceRecordSet": ours}
    return {"Action": "UPSERT", "ResourceRecordSet": prior}


def _batch(zone: str, changes: list[Any]) -> dict[str, Any]:
    return {"HostedZoneId": zone, "ChangeBatch": {"Changes": changes}}


async def _tag(call: Call, kind: str, resource: str, tags: Mapping[str, str]) -> None:
    await call(
        "route53",
        GLOBAL,
        "change_tags_for_resource",
        ResourceType=kind,
        ResourceId=resource,
        AddTags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
