"""A lab in a control plane that others use too: what is its own is used, what is not is left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.errors import EnvironmentFailed
from chaos.lab.declaration import Lab
from chaos.lab.made import Ledger, Made
from chaos.lab.seed import Site, launch, seed

REGION, ZONES = "us-east-1", ["us-east-1a", "us-east-1b"]
LAB = Lab.model_validate(
    {
        "name": "test-lab",
        "regions": {REGION: ZONES},
        "services": {
            "playback": {"app": "playback", "table": "history", "auto_scaling": {}, "balancer": {}}
        },
        "tables": {
            "history": {
                "key": "id",
                "sort_key": "at",
                "regions": [REGION],
                "items": [{"id": "kim", "at": "1"}],
            }
        },
        "dns": {
            "zone": "stream.example",
            "records": [
                {
                    "name": "api.stream.example",
                    "balancer": {"service": "playback", "region": REGION},
                    "health_check": {"path": "/health", "interval": "10s"},
                }
            ],
        },
    }
)
ADDRESS = "127.1.0.10"
STAND_INS = frozenset({"autoscaling"})


class Plane:
    """moto's server in the role of an emulator that somebody else runs."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url, self.directory = url, directory
        self.calls = AwsCalls(url, key=("lab", "lab"), timeout_s=30)

    def ask(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        return self.calls.call_now(service, REGION, operation, **params)

    def seeded(self, *, clear: bool = True, address: str = ADDRESS) -> Site:
        """A lab stands there, and ends; without `clear` it leaves what it has made."""
        ledger = Ledger.open(self.url, LAB.name, "s", self.directory)
        site = Site(
            lab=LAB, call=self.calls.call, made=Made(self.calls.call, ledger), stand_ins=STAND_INS
        )

        async def main() -> None:
            try:
                await seed(site, {("playback", REGION): address})
            finally:
                if clear:
                    await site.made.remove()

        try:
            asyncio.run(main())
        finally:
            if not clear:
                ledger.keep([])  # as on another machine: nobody remembers what it has made
            ledger.close()
        return site

    def instances(self, state: str = "running") -> list[dict[str, Any]]:
        filters = [{"Name": "instance-state-name", "Values": [state]}]
        found = self.ask("ec2", "describe_instances", Filters=filters)["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]

    def holds(self) -> dict[str, int]:
        """How much there is of what a lab makes."""
        tagged = [{"Name": "tag:chaos:lab", "Values": [LAB.name]}]
        return {
            "vpcs": len(self.ask("ec2", "describe_vpcs", Filters=tagged)["Vpcs"]),
            "subnets": len(self.ask("ec2", "describe_subnets", Filters=tagged)["Subnets"]),
            "templates": len(self.ask("ec2", "describe_launch_templates")["LaunchTemplates"]),
            "instances": len(self.instances()),
            "zones": len(self.ask("route53", "list_hosted_zones")["HostedZones"]),
            "checks": len(self.ask("route53", "list_health_checks")["HealthChecks"]),
            "tables": len(self.ask("dynamodb", "list_tables")["TableNames"]),
        }

    def record(self) -> str:
        zone = self.ask("route53", "list_hosted_zones")["HostedZones"][0]["Id"]
        listed = self.ask("route53", "list_resource_record_sets", HostedZoneId=zone)
        (address,) = [r for r in listed["ResourceRecordSets"] if r["Type"] == "A"]
        value: str = address["ResourceRecords"][0]["Value"]
        return value


WHOLE = {
    "vpcs": 1,
    "subnets": 2,
    "templates": 1,
    "instances": 2,
    "zones": 1,
    "checks": 1,
    "tables": 1,
}
NOTHING = dict.fromkeys(WHOLE, 0)


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    with moto_server() as (host, port):
        plane = Plane(f"http://{host}:{port}", tmp_path)
        yield plane
        plane.calls.close()


def test_nothing_is_left_of_what_a_lab_has_made(plane: Plane) -> None:
    plane.seeded()
    assert plane.holds() == NOTHING


def test_its_instances_say_whose_they_are(plane: Plane) -> None:
    plane.seeded(clear=False)
    tags = [{tag["Key"]: tag["Value"] for tag in each["Tags"]} for each in plane.instances()]
    assert sorted(tag["chaos:group"] for tag in tags) == [f"playback-{zone}" for zone in ZONES]
    assert {(tag["chaos:lab"], tag["service"]) for tag in tags} == {("test-lab", "playback")}


def test_what_is_there_already_is_used_and_left(plane: Plane) -> None:
    plane.seeded(clear=False)
    assert plane.holds() == WHOLE
    plane.seeded()
    assert plane.holds() == WHOLE


def test_the_records_of_a_zone_that_was_there_are_put_back(plane: Plane) -> None:
    plane.seeded(clear=False)
    plane.seeded(clear=False, address="127.9.0.10")
    assert plane.record() == "127.9.0.10"
    plane.seeded()
    assert plane.record() == "127.9.0.10"


def test_an_instance_that_was_terminated_is_replaced(plane: Plane) -> None:
    plane.seeded(clear=False)
    gone = plane.instances()[0]["InstanceId"]
    plane.ask("ec2", "terminate_instances", InstanceIds=[gone])
    plane.seeded(clear=False)
    assert sorted(i["Placement"]["AvailabilityZone"] for i in plane.instances()) == ZONES


def test_its_group_launches_from_the_same_template_into_the_same_subnet(plane: Plane) -> None:
    site = plane.seeded(clear=False)
    site = replace(site, made=Made(site.call))
    asyncio.run(launch(site, ("playback", REGION, ZONES[0]), 1))
    subnets = [each["SubnetId"] for each in plane.instances()]
    assert sorted(map(subnets.count, set(subnets))) == [1, 2]


def test_a_group_whose_template_is_gone_cannot_be_refilled(plane: Plane) -> None:
    site = plane.seeded()
    with pytest.raises(EnvironmentFailed, match="is not there any more"):
        asyncio.run(launch(site, ("playback", REGION, ZONES[0]), 1))


def test_a_zone_of_somebody_else_is_not_taken_over(plane: Plane) -> None:
    plane.ask("route53", "create_hosted_zone", Name="stream.example", CallerReference="1")
    with pytest.raises(EnvironmentFailed, match=r"zone stream\.example .* has no tag chaos:lab"):
        plane.seeded()
    assert plane.holds() == {**NOTHING, "zones": 1}


def test_a_table_of_somebody_else_is_not_taken_over(plane: Plane) -> None:
    plane.ask(
        "dynamodb",
        "create_table",
        TableName="history",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(EnvironmentFailed, match="the table history in us-east-1 is there already"):
        plane.seeded()
    assert plane.holds() == {**NOTHING, "tables": 1}


def test_another_labs_zone_of_the_same_name_is_no_hindrance(plane: Plane) -> None:
    made = plane.ask("route53", "create_hosted_zone", Name="stream.example", CallerReference="1")
    plane.ask(
        "route53",
        "change_tags_for_resource",
        ResourceType="hostedzone",
        ResourceId=made["HostedZone"]["Id"].removeprefix("/hostedzone/"),
        AddTags=[{"Key": "chaos:lab", "Value": "another"}],
    )
    plane.seeded(clear=False)
    assert plane.holds() == {**WHOLE, "zones": 2}
