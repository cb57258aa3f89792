"""The probes of queues, objects and executions, against what LocalStack really does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from chaos.environments.calls import AwsCalls
from chaos.loops import run_at
from chaos.testing import one_sample
from probes.kinesis_ledger import KinesisLedger
from probes.net import Net
from probes.probe import Attempt
from probes.s3_ledger import S3Ledger
from probes.sqs_ledger import SqsLedger
from probes.step_functions import StepFunctions

EAST, WEST = "us-east-1", "us-west-2"
WITHIN_S = 120


@pytest.fixture(scope="module")
def aws(localstack: str) -> Iterator[AwsCalls]:
    calls = AwsCalls(localstack, key=("lab", "lab"), timeout_s=30)
    yield calls
    calls.close()


def attempt(n: int = 0) -> Attempt:
    return Attempt(run="run1", probe="history", n=n)


def test_objects_survive_until_they_are_deleted(aws: AwsCalls) -> None:
    where = {"LocationConstraint": WEST}
    probe = S3Ledger(
        kind="s3_ledger",
        bucket="probes-east",
        write_to=EAST,
        read_bucket="probes-west",
        read_from=WEST,
    )

    async def main() -> None:
        net = Net(aws=aws.call)
        await aws.call("s3", EAST, "create_bucket", Bucket="probes-east")
        await aws.call(
            "s3", WEST, "create_bucket", Bucket="probes-west", CreateBucketConfiguration=where
        )
        for n in range(3):
            await probe.check(net, attempt(n))
            key = f"ledger/run1/history/{n:012d}"
            copied = {"Bucket": "probes-east", "Key": key}
            await aws.call(
                "s3", WEST, "copy_object", Bucket="probes-west", Key=key, CopySource=copied
            )
        assert await probe.read(net, attempt()) == [0, 1, 2]
        await aws.call("s3", WEST, "delete_object", Bucket="probes-west", Key=key)
        assert await probe.read(net, attempt()) == [0, 1]

    run_at(1, asyncio.wait_for(main(), WITHIN_S))


def test_messages_that_wait_and_those_that_were_passed_on_are_found(aws: AwsCalls) -> None:
    probe = SqsLedger(
        kind="sqs_ledger", queue="probe-jobs", read_queue="probe-done", region=EAST, timeout=30.0
    )

    async def sqs(operation: str, **params: Any) -> dict[str, Any]:
        return await aws.call("sqs", EAST, operation, **params)

    async def main() -> None:
        net = Net(aws=aws.call)
        jobs, done = [
            (await sqs("create_queue", QueueName=name))["QueueUrl"]
            for name in ("probe-jobs", "probe-done")
        ]
        for n in range(12):
            await probe.check(net, attempt(n))
        received = await sqs("receive_message", QueueUrl=jobs, MaxNumberOfMessages=5)
        for message in received["Messages"]:
            await sqs("send_message", QueueUrl=done, MessageBody=message["Body"])
            handle = message["ReceiptHandle"]
            await sqs("delete_message", QueueUrl=jobs, ReceiptHandle=handle)
        assert await probe.read(net, attempt()) == [*range(12)]
        await sqs("purge_queue", QueueUrl=jobs)
        assert await probe.read(net, attempt()) == [
            json.loads(message["Body"])["number"] for message in received["Messages"]
        ]

    run_at(1, asyncio.wait_for(main(), WITHIN_S))


def machine(state: dict[str, Any]) -> str:
    return json.dumps({"StartAt": "Encode", "States": {"Encode": state}})


STATES: dict[str, dict[str, Any]] = {
    "probe-succeeds": {"Type": "Wait", "Seconds": 1, "End": True},
    "probe-fails": {"Type": "Fail", "Error": "NoSpace", "Cause": "the disk is full"},
    "probe-hangs": {"Type": "Wait", "Seconds": 30, "End": True},
}


def test_executions_are_followed_to_their_end(aws: AwsCalls) -> None:
    role = "arn:aws:iam::000000000000:role/encode"

    async def outcome(name: str, timeout: float) -> tuple[bool, str]:
        probe = StepFunctions(
            kind="step_functions", state_machine=name, region=EAST, timeout=timeout
        )
        sample = await one_sample(probe, Net(aws=aws.call))
        assert not sample.crashed
        return sample.ok, sample.error

    async def main() -> None:
        for name, state in STATES.items():
            await aws.call(
                "stepfunctions",
                EAST,
                "create_state_machine",
                name=name,
                definition=machine(state),
                roleArn=role,
            )
        assert await outcome("probe-succeeds", 30) == (True, "")
        told = "the execution is FAILED: NoSpace: the disk is full"
        assert await outcome("probe-fails", 30) == (False, told)
        assert await outcome("probe-hangs", 3) == (False, "timed out after 3 s (run)")

    run_at(1, asyncio.wait_for(main(), WITHIN_S))


def test_a_stream_is_read_whole_also_after_it_was_split(localstack: str) -> None:
    # The first call of Kinesis installs what serves it.
    aws = AwsCalls(localstack, key=("lab", "lab"), timeout_s=WITHIN_S)
    probe = KinesisLedger(kind="kinesis_ledger", stream="probe-clicks", region=EAST, timeout=60.0)

    async def kinesis(operation: str, **params: Any) -> dict[str, Any]:
        return await aws.call("kinesis", EAST, operation, StreamName="probe-clicks", **params)

    async def active() -> None:
        while True:  # bounded by the test's own deadline
            told = (await kinesis("describe_stream_summary"))["StreamDescriptionSummary"]
            if told["StreamStatus"] == "ACTIVE":
                return
            await asyncio.sleep(0.2)

    async def main() -> None:
        net = Net(aws=aws.call)
        await kinesis("create_stream", ShardCount=1)
        await active()
        for n in range(8):
            if n == 4:
                middle = str(2**127)
                await kinesis(
                    "split_shard", ShardToSplit="shardId-000000000000", NewStartingHashKey=middle
                )
                await active()
            await probe.check(net, attempt(n))
        assert await probe.read(net, attempt()) == [*range(8)]

    try:
        run_at(1, asyncio.wait_for(main(), 2 * WITHIN_S))
    finally:
        aws.close()
