"""The command line before LocalStack, and what it leaves there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3

WITHIN_S = 400  # of the wall
SPEED = "2"


def chaos(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "chaos", *arguments],
        cwd=directory,
        env=kept | {"XDG_STATE_HOME": str(directory / "state")},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def run(
    directory: Path, endpoint: str, experiment: str, *, speed: str = SPEED
) -> tuple[subprocess.CompletedProcess[str], Any]:
    """The run, and its verdict."""
    where = ("--environment", "localstack", "--endpoint", endpoint)
    done = chaos(directory, "run", experiment, *where, "--speed", speed, "--json")
    return done, json.loads(done.stdout) if done.stdout else None


def ask(endpoint: str, service: str, operation: str, **given: Any) -> Any:
    """One call, straight to LocalStack."""
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    client: Any = session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]  # a variable
    return getattr(client, operation)(**given)


def left(endpoint: str, lab: str) -> list[str]:
    """What of a lab's network and machines is still in LocalStack."""
    tagged = [{"Name": "tag:chaos:lab", "Values": [lab]}]
    runs = [*tagged, {"Name": "instance-state-name", "Values": ["pending", "running"]}]
    reservations = ask(endpoint, "ec2", "describe_instances", Filters=runs)["Reservations"]
    templates = ask(endpoint, "ec2", "describe_launch_templates", Filters=tagged)
    zones = [z["Name"] for z in ask(endpoint, "route53", "list_hosted_zones")["HostedZones"]]
    return [
        *(instance["InstanceId"] for r in reservations for instance in r["Instances"]),
        *(vpc["VpcId"] for vpc in ask(endpoint, "ec2", "describe_vpcs", Filters=tagged)["Vpcs"]),
        *(template["LaunchTemplateName"] for template in templates["LaunchTemplates"]),
        *(name for name in zones if name.startswith(("grouped", "stream"))),
    ]


def left_by_anyone(endpoint: str) -> list[str]:
    """What else there is, of whatever lab or test."""
    return [
        *(check["Id"] for check in ask(endpoint, "route53", "list_health_checks")["HealthChecks"]),
        *(bucket["Name"] for bucket in ask(endpoint, "s3", "list_buckets")["Buckets"]),
        *ask(endpoint, "sqs", "list_queues").get("QueueUrls", []),
        *(
            m["name"]
            for m in ask(endpoint, "stepfunctions", "list_state_machines")["stateMachines"]
        ),
        *(a["AlarmName"] for a in ask(endpoint, "cloudwatch", "describe_alarms")["MetricAlarms"]),
    ]
