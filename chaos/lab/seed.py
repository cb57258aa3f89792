"""Creates the declared system in the control plane, by the calls that an engineer would make.

What is there already and is the lab's own is used as it is; see `chaos.lab.adoption`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.errors import EnvironmentFailed
from chaos.lab.adoption import There
from chaos.lab.declaration import Lab
from chaos.lab.groups import Key
from chaos.lab.inventory import LAB_TAG, Call
from chaos.lab.made import Made
from chaos.lab.resources import Table
from chaos.lab.seed_dns import Balancers, seed_dns
from chaos.lab.services import Service

IMAGE = "ami-0123456789abcdef0"  # moto, and LocalStack with it, ask for the form alone
INSTANCE_TYPE = "t3.micro"
GROUP_TAG = "chaos:group"  # the declared group of an instance that the lab itself launches


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a lab is to be made: by which calls, what becomes of it, and what lacks there."""

    lab: Lab
    call: Call
    made: Made
    stand_ins: frozenset[str] = frozenset()

    @property
    def there(self) -> There:
        """What of it is there already."""
        return There(self.lab.name, self.call if self.made.shared else None)

    def grouped(self, service: Service) -> bool:
        """Whether Auto Scaling itself launches the instances of a service."""
        return service.auto_scaling is not None and "autoscaling" not in self.stand_ins


async def seed(site: Site, balancers: Balancers) -> None:
    """Return when all of it is there; raises CallFailed or EnvironmentFailed."""
    lab = site.lab
    await all_of(
        *(_region(site, region) for region in lab.regions),
        *(
            _table(site, region, name, table)
            for name, table in lab.tables.items()
            for region in table.regions
        ),
        seed_dns(lab, site.call, site.made, site.there, balancers),
    )


async def all_of(*work: Awaitable[None]) -> None:
    """Await all of it, and only then raise what the first that failed has raised."""
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def launch(site: Site, key: Key, count: int) -> None:
    """Run instances of a service in a zone where it has some already, or had: as its group does."""
    name, region, zone = key
    there = There(site.lab.name, site.call)
    vpc, templates = await asyncio.gather(there.vpc(region), there.templates(region))
    subnets = await there.subnets(region, vpc) if vpc is not None else {}
    template = templates.get(f"{site.lab.name}-{name}")
    if template is None or zone not in subnets:
        what = f"the subnet or the launch template of {name} in {zone} is not there any more"
        raise EnvironmentFailed(what)
    await _run(site, key, count, template=template, subnet=subnets[zone])


async def _run(site: Site, key: Key, count: int, *, template: str, subnet: str) -> None:
    name, region, zone = key
    service = site.lab.services[name]
    tags = _tags(site.lab, name, service)
    if service.auto_scaling is not None:
        tags[GROUP_TAG] = f"{name}-{zone}"
    ran = await site.call(
        "ec2",
        region,
        "run_instances",
        MinCount=count,
        MaxCount=count,
        LaunchTemplate={"LaunchTemplateId": template},
        SubnetId=subnet,
        TagSpecifications=_tagged("instance", tags),
    )
    ids = [instance["InstanceId"] for instance in ran["Instances"]]
    site.made.undo("ec2", region, "terminate_instances", InstanceIds=ids)


async def _region(site: Site, region: str) -> None:
    there, lab = site.there, site.lab
    vpc = await there.vpc(region) or await _vpc(site, region)
    subnets, templates, running = await asyncio.gather(
        there.subnets(region, vpc), there.templates(region), there.running(region)
    )
    for number, zone in enumerate(lab.regions[region], 1):
        if zone not in subnets:
            subnets[zone] = await _subnet(site, region, vpc, zone, number)
    for name, service in lab.services.items():
        template = templates.get(f"{lab.name}-{name}") or await _template(site, region, name)
        for zone in lab.regions[region]:
            key = (name, region, zone)
            lacking = service.wanted(region, zone) - running[name, zone]
            if site.grouped(service) and service.most(region, zone):
                await _group(site, key, service, template=template, subnet=subnets[zone])
            elif lacking > 0:
                await _run(site, key, lacking, template=template, subnet=subnets[zone])


async def _vpc(site: Site, region: str) -> str:
    number = [*site.lab.regions].index(region) + 1
    tags = _tagged("vpc", {LAB_TAG: site.lab.name})
    made = await site.call(
        "ec2", region, "create_vpc", CidrBlock=f"10.{number}.0.0/16", TagSpecifications=tags
    )
    vpc: str = made["Vpc"]["VpcId"]
    site.made.undo("ec2", region, "delete_vpc", VpcId=vpc)
    return vpc


async def _subnet(site: Site, region: str, vpc: str, zone: str, number: int) -> str:
    made = await site.call(
        "ec2",
        region,
        "create_subnet",
        VpcId=vpc,
        CidrBlock=f"10.{[*site.lab.regions].index(region) + 1}.{number}.0/24",
        AvailabilityZone=zone,
        TagSpecifications=_tagged("subnet", {LAB_TAG: site.lab.name}),
    )
    subnet: str = made["Subnet"]["SubnetId"]
    site.made.undo("ec2", region, "delete_subnet", SubnetId=subnet)
    return subnet


async def _template(site: Site, region: str, name: str) -> str:
    """Its name has the lab's in it: another lab there may have a service of the same name."""
    made = await site.call(
        "ec2",
        region,
        "create_launch_template",
        LaunchTemplateName=f"{site.lab.name}-{name}",
        LaunchTemplateData={"ImageId": IMAGE, "InstanceType": INSTANCE_TYPE},
        TagSpecifications=_tagged("launch-template", {LAB_TAG: site.lab.name}),
    )
    template: str = made["LaunchTemplate"]["LaunchTemplateId"]
    site.made.undo("ec2", region, "delete_launch_template", LaunchTemplateId=template)
    return template


async def _group(site: Site, key: Key, service: Service, *, template: str, subnet: str) -> None:
    """A group of its own for each zone: moto puts all instances of a group in one."""
    name, region, zone = key
    group, tags = f"{name}-{zone}", _tags(site.lab, name, service)
    await site.call(
        "autoscaling",
        region,
        "create_auto_scaling_group",
        AutoScalingGroupName=group,
        MinSize=service.wanted(region, zone),
        MaxSize=service.most(region, zone),
        DesiredCapacity=service.wanted(region, zone),
        VPCZoneIdentifier=subnet,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        Tags=[{**tag, "PropagateAtLaunch": True} for tag in _pairs(tags)],
    )
    site.made.undo(
        "autoscaling",
        region,
        "delete_auto_scaling_group",
        AutoScalingGroupName=group,
        ForceDelete=True,
    )
    if service.auto_scaling is not None and service.auto_scaling.suspended:
        await site.call(
            "autoscaling",
            region,
            "suspend_processes",
            AutoScalingGroupName=group,
            ScalingProcesses=[*service.auto_scaling.suspended],
        )


async def _table(site: Site, region: str, name: str, table: Table) -> None:
    if await site.there.table(region, name):
        return
    keys = {"HASH": table.key, "RANGE": table.sort_key}
    await site.call(
        "dynamodb",
        region,
        "create_table",
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for kind, key in keys.items()],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in keys.values()
        ],
        BillingMode="PAY_PER_REQUEST",
        Tags=_pairs({LAB_TAG: site.lab.name}),
    )
    site.made.undo("dynamodb", region, "delete_table", TableName=name)
    for item in table.items:
        values = {attribute: {"S": value} for attribute, value in item.items()}
        await site.call("dynamodb", region, "put_item", TableName=name, Item=values)


def _tags(lab: Lab, name: str, service: Service) -> dict[str, str]:
    return {"service": name, **service.tags, LAB_TAG: lab.name}


def _tagged(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": _pairs(tags)}]


def _pairs(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
