"""The init hook that makes the streaming system: the same, however often it runs."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

from localstack_process import START, LocalStack, running

from chaos.environments.calls import AwsCalls
from chaos.experiment import SYSTEMS
from chaos.lab.declaration import Lab
from chaos.loops import run_at
from chaos.schema import load

HOOKS = START.parent / "init"
LAB = load(SYSTEMS / "streaming-s3.yaml", Lab)
WITHIN_S = 300


def test_what_is_there_is_left_and_what_is_gone_is_made_again(tmp_path: Path) -> None:
    with running(tmp_path, HOOKS) as it:
        aws = AwsCalls(it.endpoint, key=("lab", "lab"), timeout_s=30)
        try:
            run_at(1, asyncio.wait_for(check(it, aws), WITHIN_S))
        finally:
            aws.close()


async def check(it: LocalStack, aws: AwsCalls) -> None:
    first = {region: await found(aws, region) for region in LAB.regions}
    for region, zones in LAB.regions.items():
        assert [*first[region]["subnets"]] == [*zones]
        assert [*first[region]["instances"]] == [*zones]
    gone = first["us-east-1"]["instances"].pop("us-east-1a")
    await aws.call("ec2", "us-east-1", "terminate_instances", InstanceIds=[gone])
    await asyncio.to_thread(hook, it)
    again = {region: await found(aws, region) for region in LAB.regions}
    assert again["us-east-1"]["instances"].pop("us-east-1a") != gone
    assert again == first


async def found(aws: AwsCalls, region: str) -> dict[str, Any]:
    """What there is in a region, by id; raises when there is more of it than one wants."""

    async def ec2(what: str, **filters: str) -> dict[str, Any]:
        asked = [{"Name": n.replace("_", "-"), "Values": [v]} for n, v in filters.items()]
        return await aws.call("ec2", region, f"describe_{what}", Filters=asked)

    tag = {"tag:chaos:lab": LAB.name}
    (vpc,) = (await ec2("vpcs", **tag))["Vpcs"]
    (template,) = (await ec2("launch_templates", **tag))["LaunchTemplates"]
    assert template["LaunchTemplateName"] == f"{LAB.name}-playback"
    subnets = sorted(
        (subnet["AvailabilityZone"], subnet["SubnetId"])
        for subnet in (await ec2("subnets", vpc_id=vpc["VpcId"]))["Subnets"]
    )
    running_ones = (await ec2("instances", instance_state_name="running", **tag))["Reservations"]
    instances = sorted(
        (instance["Placement"]["AvailabilityZone"], instance["InstanceId"])
        for reservation in running_ones
        for instance in reservation["Instances"]
        if tags(instance) >= wanted(instance).items()
    )
    return {
        "vpc": vpc["VpcId"],
        "template": template["LaunchTemplateId"],
        "subnets": dict(subnets),
        "instances": dict(instances),
        "objects": await objects(aws, region),
    }


def wanted(instance: dict[str, Any]) -> dict[str, str]:
    """What the lab puts on an instance of playback, and looks for."""
    zone = instance["Placement"]["AvailabilityZone"]
    return {"service": "playback", "chaos:group": f"playback-{zone}"} | LAB.services[
        "playback"
    ].tags


def tags(instance: dict[str, Any]) -> set[tuple[str, str]]:
    return {(tag["Key"], tag["Value"]) for tag in instance["Tags"]}


async def objects(aws: AwsCalls, region: str) -> dict[str, str]:
    """The versions of the objects by key, of a bucket that is as the lab declares it."""
    bucket = f"viewing-history-{region}"
    versions = await aws.call("s3", region, "get_bucket_versioning", Bucket=bucket)
    assert versions["Status"] == "Enabled"
    tagging = await aws.call("s3", region, "get_bucket_tagging", Bucket=bucket)
    assert tagging["TagSet"] == [{"Key": "chaos:lab", "Value": LAB.name}]
    for key, text in LAB.buckets["viewing-history"].objects.items():
        body = (await aws.call("s3", region, "get_object", Bucket=bucket, Key=key))["Body"]
        with body:
            assert body.read().decode() == text
    listed = await aws.call("s3", region, "list_object_versions", Bucket=bucket)
    return {version["Key"]: version["VersionId"] for version in listed["Versions"]}


def hook(it: LocalStack) -> None:
    path = f"{START.parent}/.venv/bin:{os.environ['PATH']}"
    subprocess.run(
        [HOOKS / "ready.d" / "10-streaming.sh"],
        env={"PATH": path, "AWS_ENDPOINT_URL": it.endpoint},
        timeout=WITHIN_S,
        check=True,
    )
