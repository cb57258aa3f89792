"""Creates the declared system in the control plane, by the calls that an engineer would make."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from chaos.lab.declaration import Lab, Record, Service, Table
from chaos.lab.inventory import Call
from probes.durations import parse

# The control plane of Route 53 is in us-east-1, wherever the lab's regions are.
GLOBAL = "us-east-1"
IMAGE = "ami-0123456789abcdef0"  # moto asks for the form alone
INSTANCE_TYPE = "t3.micro"

# The address of each balancer, by service and region.
Balancers = Mapping[tuple[str, str], str]


async def seed(lab: Lab, call: Call, balancers: Balancers) -> None:
    """Return when all of it is there; raises CallFailed."""
    await asyncio.gather(
        *(_region(lab, call, region) for region in lab.regions),
        *(
            _table(call, r, name, table)
            for name, table in lab.tables.items()
            for r in table.regions
        ),
        _dns(lab, call, balancers),
    )


async def _region(lab: Lab, call: Call, region: str) -> None:
    number = [*lab.regions].index(region) + 1
    vpc = await call("ec2", region, "create_vpc", CidrBlock=f"10.{number}.0.0/16")
    subnets = {
        zone: await call(
            "ec2",
            region,
            "create_subnet",
            VpcId=vpc["Vpc"]["VpcId"],
            CidrBlock=f"10.{number}.{n}.0/24",
            AvailabilityZone=zone,
        )
        for n, zone in enumerate(lab.regions[region], 1)
    }
    for name, service in lab.services.items():
        await _launch_template(call, region, name)
        for zone, subnet in subnets.items():
            subnet_id = subnet["Subnet"]["SubnetId"]
            if service.auto_scaling is None:
                await _run(call, region, name, service, subnet_id)
            else:
                await _group(call, region, name, service, zone, subnet_id)


async def _launch_template(call: Call, region: str, name: str) -> None:
    await call(
        "ec2",
        region,
        "create_launch_template",
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": IMAGE, "InstanceType": INSTANCE_TYPE},
    )


async def _run(call: Call, region: str, name: str, service: Service, subnet: str) -> None:
    tags = [{"Key": key, "Value": value} for key, value in _tags(name, service).items()]
    await call(
        "ec2",
        region,
        "run_instances",
        MinCount=service.per_zone,
        MaxCount=service.per_zone,
        LaunchTemplate={"LaunchTemplateName": name},
        SubnetId=subnet,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )


async def _group(
    call: Call, region: str, name: str, service: Service, zone: str, subnet: str
) -> None:
    """A group of its own for each zone: moto puts all instances of a group in one."""
    group = f"{name}-{zone}"
    tags = _tags(name, service).items()
    await call(
        "autoscaling",
        region,
        "create_auto_scaling_group",
        AutoScalingGroupName=group,
        MinSize=service.per_zone,
        MaxSize=service.per_zone,
        DesiredCapacity=service.per_zone,
        VPCZoneIdentifier=subnet,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags],
    )
    if service.auto_scaling is not None and service.auto_scaling.suspended:
        await call(
            "autoscaling",
            region,
            "suspend_processes",
            AutoScalingGroupName=group,
            ScalingProcesses=[*service.auto_scaling.suspended],
        )


def _tags(name: str, service: Service) -> dict[str, str]:
    return {"service": name, **service.tags}


async def _table(call: Call, region: str, name: str, table: Table) -> None:
    await call(
        "dynamodb",
        region,
        "create_table",
        TableName=name,
        KeySchema=[
            {"AttributeName": table.key, "KeyType": "HASH"},
            {"AttributeName": table.sort_key, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in (table.key, table.sort_key)
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in table.items:
        values = {attribute: {"S": value} for attribute, value in item.items()}
        await call("dynamodb", region, "put_item", TableName=name, Item=values)


async def _dns(lab: Lab, call: Call, balancers: Balancers) -> None:
    zone = await call(
        "route53",
        GLOBAL,
        "create_hosted_zone",
        Name=lab.dns.zone,
        CallerReference=f"chaos-lab-{lab.name}",
    )
    changes = await asyncio.gather(
        *(_change(lab, call, n, balancers) for n in range(len(lab.dns.records)))
    )
    if changes:
        await call(
            "route53",
            GLOBAL,
            "change_resource_record_sets",
            HostedZoneId=zone["HostedZone"]["Id"],
            ChangeBatch={"Changes": changes},
        )


async def _change(lab: Lab, call: Call, number: int, balancers: Balancers) -> dict[str, Any]:
    record = lab.dns.records[number]
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
        rrset["HealthCheckId"] = await _health_check(call, record, number, name, addresses[0])
    return {"Action": "CREATE", "ResourceRecordSet": rrset}


async def _health_check(call: Call, record: Record, number: int, name: str, address: str) -> str:
    assert record.health_check is not None  # noqa: S101  # asked by the caller
    made = await call(
        "route53",
        GLOBAL,
        "create_health_check",
        CallerReference=f"chaos-lab-{number}",
        HealthCheckConfig={
            "Type": "HTTP",
            "IPAddress": address,
            "Port": 80,
            "ResourcePath": record.health_check.path,
            "RequestInterval": int(parse(record.health_check.interval)),
            "FailureThreshold": record.health_check.threshold,
        },
    )
    check: str = made["HealthCheck"]["Id"]
    await call(
        "route53",
        GLOBAL,
        "change_tags_for_resource",
        ResourceType="healthcheck",
        ResourceId=check,
        AddTags=[{"Key": "Name", "Value": name}],
    )
    return check
