"""Which services of AWS an emulator really offers, found out before anything is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from chaos.environments.calls import AwsCalls
from chaos.environments.localstack import KEY, Found
from chaos.errors import CallFailed, InvalidInput

# The services that the lab itself can stand in for, and how; see chaos.lab.groups.
LAB_STANDS_IN = {"autoscaling": "the lab itself replaces an instance of a declared group"}
# Something that each service reads, and that an empty account answers at once. LocalStack lists
# what it knows how to start, which for DynamoDB is a program that it may not be able to get.
READS = {
    "autoscaling": "describe_auto_scaling_groups",
    "cloudwatch": "describe_alarms",
    "dynamodb": "list_tables",
    "ec2": "describe_vpcs",
    "kinesis": "list_streams",
    "route53": "list_hosted_zones",
    "s3": "list_buckets",
    "sqs": "list_queues",
    "stepfunctions": "list_state_machines",
}
LISTED_IN_VAIN = frozenset({"dynamodb"})
NAMES = {
    "autoscaling": "Auto Scaling",
    "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "kinesis": "Kinesis",
    "route53": "Route 53",
    "s3": "S3",
    "sqs": "SQS",
    "stepfunctions": "Step Functions",
}
# What to use instead, where something is missing.
ANOTHER_EXPERIMENT = "an experiment that does without it (see its `environments: localstack:`)"
ANOTHER_LAB = "a lab that does without it, such as --lab streaming-s3"
REGION = "us-east-1"
# Seconds of the wall. Where a service is there, its first call takes up to four.
ANSWER_WITHIN_S = 10.0


async def refuse_missing(
    found: Found,
    needed: Collection[str],
    stand_ins: Collection[str],
    instead: str = ANOTHER_EXPERIMENT,
) -> frozenset[str]:
    """The stand-ins that the lab is to be, of those the experiment names; raises InvalidInput.

    `needed` and `stand_ins` are boto3's names of services.
    """
    by_lab = frozenset(stand_ins) & LAB_STANDS_IN.keys()
    lacking = await missing(found, frozenset(needed) - by_lab)
    if lacking:
        raise InvalidInput(_sentence(found, lacking, instead))
    return by_lab & frozenset(needed)


async def missing(found: Found, needed: Iterable[str]) -> dict[str, str]:
    """Those that it does not offer, each with the reason; one that nobody knows is missing."""
    unsure = sorted(s for s in needed if s not in found.services or s in LISTED_IN_VAIN)
    calls = AwsCalls(found.url, key=KEY, timeout_s=ANSWER_WITHIN_S)
    try:
        reasons = await asyncio.gather(*(_why_not(calls, service) for service in unsure))
    finally:
        calls.close()
    return {s: why for s, why in zip(unsure, reasons, strict=True) if why}


async def _why_not(calls: AwsCalls, service: str) -> str:
    """Why the service does not answer; empty when it does."""
    if service not in READS:
        return "it does not list it"
    try:
        await calls.call(service, REGION, READS[service])
    except CallFailed as error:
        if service in LISTED_IN_VAIN and "license" not in str(error):
            return "it lists it, but cannot run it here: its program could not be got or started"
        return "it is not in this edition" if "license" in str(error) else error.code
    return ""


def _sentence(found: Found, lacking: dict[str, str], instead: str) -> str:
    what = "; ".join(f"{NAMES.get(service, service)} ({why})" for service, why in lacking.items())
    return (
        f"{found.name} does not offer all that is needed here: {what}. Use an edition or an image"
        f" of LocalStack that has it, or {instead}, or --environment embedded; nothing was touched"
    )
