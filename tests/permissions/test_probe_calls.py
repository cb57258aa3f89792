"""What probes say that they call is what they call, no less and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto_account import moto_account

from chaos.environments.calls import AwsCalls
from chaos.permissions.actions import actions
from probes import KINDS
from probes.net import Net
from probes.probe import Attempt, Ledger, Probe

REGION = "us-east-1"
WITHIN_S = 30.0  # of the wall
MACHINE = {"StartAt": "x", "States": {"x": {"Type": "Succeed"}}}
PROBES: dict[str, dict[str, Any]] = {
    "aws": {"service": "ec2", "region": REGION, "operation": "describe_vpcs"},
    "cloudwatch": {
        "region": REGION,
        "namespace": "x",
        "metric": "Errors",
        "stat": "Sum",
        "expect": {"equals": 0},
        "missing": "good",
    },
    "cloudwatch_alarm": {"alarm": "errors", "region": REGION},
    "dynamodb_ledger": {"table": "history", "write_to": REGION, "read_from": REGION},
    "kinesis_ledger": {"stream": "clicks", "region": REGION},
    "s3_ledger": {"bucket": "films", "write_to": REGION, "read_from": REGION},
    "sqs_ledger": {"queue": "jobs", "region": REGION},
    "step_functions": {"state_machine": "encode", "region": REGION},
}
# What only comes when an object's ETag is not the MD5 of its body, as with a key of KMS, or when
# a queue holds messages of others.
SELDOM = {"get_object", "change_message_visibility_batch"}


class Door:
    """Keeps in mind which operations went through."""

    def __init__(self, calls: AwsCalls) -> None:
        self._calls = calls
        self.made: set[tuple[str, str, str]] = set()

    async def __call__(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        self.made.add((service, region, operation))
        return await self._calls.call(service, region, operation, **params)


@pytest.fixture(scope="module")
def calls() -> Iterator[AwsCalls]:
    with moto_account() as endpoint:
        calls = AwsCalls(endpoint, key=("test", "test"), timeout_s=30)
        with prepared(calls):
            yield calls
        calls.close()


@contextmanager
def prepared(calls: AwsCalls) -> Iterator[None]:
    """Everything that the probes look at."""
    keys = {"profile": "HASH", "watched": "RANGE"}
    calls.call_now(
        "dynamodb",
        REGION,
        "create_table",
        TableName="history",
        KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in keys.items()],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    calls.call_now("s3", REGION, "create_bucket", Bucket="films")
    calls.call_now("sqs", REGION, "create_queue", QueueName="jobs")
    calls.call_now("kinesis", REGION, "create_stream", StreamName="clicks", ShardCount=1)
    calls.call_now(
        "stepfunctions",
        REGION,
        "create_state_machine",
        name="encode",
        definition=str(MACHINE).replace("'", '"'),
        roleArn="arn:aws:iam::123456789012:role/x",
    )
    calls.call_now(
        "cloudwatch",
        REGION,
        "put_metric_alarm",
        AlarmName="errors",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="Errors",
        Namespace="x",
        Period=60,
        Statistic="Sum",
        Threshold=1,
    )
    calls.call_now("cloudwatch", REGION, "set_alarm_state", **OK)
    yield


OK = {"AlarmName": "errors", "StateValue": "OK", "StateReason": "a test"}


def probe(kind: str) -> Probe:
    return KINDS[kind].model_validate({"kind": kind, **PROBES[kind]})


def test_every_kind_that_calls_aws_is_tried_here() -> None:
    calling = {kind for kind in KINDS if "calls" in vars(KINDS[kind])}
    assert calling == set(PROBES)


@pytest.mark.parametrize("kind", PROBES)
def test_it_calls_what_it_says(kind: str, calls: AwsCalls) -> None:
    tried, door = probe(kind), Door(calls)

    async def attempt() -> None:
        net, one = Net(aws=door), Attempt(run="run1", probe="it", n=0)
        await tried.check(net, one)
        if isinstance(tried, Ledger):
            assert await tried.read(net, one) == [0]

    asyncio.run(asyncio.wait_for(attempt(), WITHIN_S))
    said = {(call.service, call.region, call.operation) for call in tried.calls()}
    assert door.made <= said
    assert {operation for _, _, operation in said - door.made} <= SELDOM
    assert tried.services() == {service for service, _, _ in said}


@pytest.mark.parametrize("kind", PROBES)
def test_each_call_has_an_action_and_a_resource_of_its_service(kind: str) -> None:
    for call in probe(kind).calls():
        (action,) = actions(call.service, call.operation)
        prefix = "arn:aws:" + action.partition(":")[0]
        assert call.resource == "*" or call.resource.startswith(prefix)
        assert call.resource == "*" or call.region in call.resource or call.service == "s3"


def test_a_queue_by_its_url_is_of_the_account_in_it() -> None:
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/done"
    named = KINDS["sqs_ledger"].model_validate(
        {"kind": "sqs_ledger", "queue": "jobs", "read_queue": url, "region": REGION}
    )
    found = {(call.operation, call.resource.split(":", 4)[4]) for call in named.calls()}
    assert ("send_message", "*:jobs") in found
    assert ("delete_message_batch", "111122223333:done") in found
    assert ("get_queue_url", "*:jobs") in found
    assert not any(operation == "send_message" and "done" in arn for operation, arn in found)


def test_a_machine_by_its_arn_is_not_looked_for() -> None:
    machine = "arn:aws-cn:states:cn-north-1:1:stateMachine:encode"
    named = KINDS["step_functions"].model_validate(
        {"kind": "step_functions", "state_machine": machine, "region": "cn-north-1"}
    )
    assert {call.operation: call.resource for call in named.calls()} == {
        "start_execution": machine,
        "describe_execution": "arn:aws-cn:states:cn-north-1:1:execution:encode:*",
    }
