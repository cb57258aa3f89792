"""What of a lab is there already, in a control plane that the lab did not start.

Ours is what carries the lab's name in the tag `chaos:lab`: it is used, and left in the end. What
has the same name without that tag is somebody else's, and refused.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from chaos.errors import CallFailed, EnvironmentFailed
from chaos.lab.inventory import Call, every, instances
from chaos.lab.made import LAB_TAG

GLOBAL = "us-east-1"  # where the control plane of Route 53 is


class There:
    """Asks what is there; with `call` None nothing is, as in a moto that has just begun."""

    def __init__(self, lab: str, call: Call | None) -> None:
        self._lab = lab
        self._call = call

    async def vpc(self, region: str) -> str | None:
        """The lab's VPC."""
        found = await self._tagged(region, "describe_vpcs", "Vpcs")
        return found[0]["VpcId"] if found else None

    async def subnets(self, region: str, vpc: str) -> dict[str, str]:
        """Its subnets by zone."""
        found = await self._tagged(region, "describe_subnets", "Subnets")
        return {s["AvailabilityZone"]: s["SubnetId"] for s in found if s["VpcId"] == vpc}

    async def templates(self, region: str) -> dict[str, str]:
        """The ids of its launch templates by name."""
        found = await self._tagged(region, "describe_launch_templates", "LaunchTemplates")
        return {each["LaunchTemplateName"]: each["LaunchTemplateId"] for each in found}

    async def running(self, region: str) -> Counter[tuple[str, str]]:
        """How many instances there are, by service and zone."""
        if self._call is None:
            return Counter()
        found = await instances(self._call, region)
        return Counter((i.service or "", i.zone) for i in found if i.runs and i.lab == self._lab)

    async def zone(self, name: str) -> str | None:
        """The id of its hosted zone; raises EnvironmentFailed where it is somebody else's."""
        if self._call is None:
            return None
        listed = await self._call("route53", GLOBAL, "list_hosted_zones_by_name", DNSName=name)
        for zone in listed["HostedZones"]:
            if zone["Name"].rstrip(".") == name:
                owner = await self._owner(zone["Id"])
                if owner is None:
                    raise _foreign(f"the hosted zone {name} ({zone['Id']})")
                if owner == self._lab:
                    return str(zone["Id"])
        return None

    async def records(self, zone: str) -> dict[tuple[str, str, str], dict[str, Any]]:
        """The record sets of a zone that is there, by name, type and identifier."""
        if self._call is None:
            return {}
        page = await self._call("route53", GLOBAL, "list_resource_record_sets", HostedZoneId=zone)
        return {record_key(record): record for record in page["ResourceRecordSets"]}

    async def table(self, region: str, name: str) -> bool:
        """Whether its table is; raises EnvironmentFailed where it is somebody else's."""
        if self._call is None:
            return False
        try:
            described = await self._call("dynamodb", region, "describe_table", TableName=name)
        except CallFailed as error:
            if error.code == "ResourceNotFoundException":
                return False
            raise
        arn = described["Table"]["TableArn"]
        listed = await self._call("dynamodb", region, "list_tags_of_resource", ResourceArn=arn)
        if {"Key": LAB_TAG, "Value": self._lab} not in listed.get("Tags", []):
            raise _foreign(f"the table {name} in {region}")
        return True

    async def _tagged(self, region: str, operation: str, key: str) -> list[dict[str, Any]]:
        if self._call is None:
            return []
        filters = [{"Name": f"tag:{LAB_TAG}", "Values": [self._lab]}]
        return await every(self._call, "ec2", region, operation, key, Filters=filters)

    async def _owner(self, zone: str) -> str | None:
        assert self._call is not None  # noqa: S101  # asked by the caller
        listed = await self._call(
            "route53",
            GLOBAL,
            "list_tags_for_resource",
            ResourceType="hostedzone",
            ResourceId=zone.removeprefix("/hostedzone/"),
        )
        tags = {tag["Key"]: tag["Value"] for tag in listed["ResourceTagSet"]["Tags"]}
        return tags.get(LAB_TAG)


def record_key(record: dict[str, Any]) -> tuple[str, str, str]:
    """What tells record sets of a zone apart."""
    return record["Name"].rstrip("."), record["Type"], record.get("SetIdentifier", "")


def _foreign(what: str) -> EnvironmentFailed:
    return EnvironmentFailed(
        f"{what} is there already and is not the lab's: it has no tag {LAB_TAG}. Remove it, or"
        " start another LocalStack on another port"
    )
