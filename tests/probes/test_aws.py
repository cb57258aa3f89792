from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from upstreams import moto_server

from chaos import schema
from chaos.environments.calls import AwsCalls
from chaos.loops import run_at
from chaos.testing import one_sample
from probes.aws import Aws
from probes.aws_api import reads
from probes.net import AwsCall, Net
from probes.probe import Sample

EAST = "us-east-1"


def probe(**settings: Any) -> Aws:
    usual = {"service": "dynamodb", "region": EAST, "operation": "list_tables", "timeout": 30}
    return Aws.model_validate({"kind": "aws"} | usual | settings)


def attempted(call: AwsCall, **settings: Any) -> Sample:
    return run_at(1, one_sample(probe(**settings), Net(aws=call)))


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsCall]:
    """The AWS API of moto's server, with three tables in one region."""
    with moto_server() as (host, port):
        calls = AwsCalls(f"http://{host}:{port}", key=("lab", "lab"), timeout_s=30)
        for name in ("history", "profiles", "titles"):
            calls.call_now(
                "dynamodb",
                EAST,
                "create_table",
                TableName=name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield calls.call
        calls.close()


# --- against a server ---------------------------------------------------------------------


def test_a_call_that_succeeds_is_good_when_nothing_is_expected(aws: AwsCall) -> None:
    sample = attempted(aws)
    assert sample.ok, sample.error
    assert list(sample.phases) == ["call"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"expect": {"query": "length(TableNames)", "equals": 3}}, ""),
        ({"expect": {"query": "length(TableNames) >= `3`"}}, ""),
        ({"expect": {"query": "TableNames", "equals": ["history", "profiles", "titles"]}}, ""),
        ({"params": {"Limit": 2}, "expect": {"query": "length(TableNames)", "equals": "2"}}, ""),
        (
            {"expect": {"query": "length(TableNames)", "equals": 4}},
            "length(TableNames) is 3, not 4",
        ),
        (
            {"expect": {"query": "length(TableNames) >= `4`"}},
            "length(TableNames) >= `4` is false, not true",
        ),
        ({"expect": {"query": "TableNmes[0]", "equals": "a"}}, "TableNmes[0] is null, not 'a'"),
    ],
)
def test_the_answer_must_be_as_expected(aws: AwsCall, settings: dict[str, Any], said: str) -> None:
    sample = attempted(aws, **settings)
    assert (sample.error, sample.crashed) == (said, False)


def test_an_expression_that_cannot_be_applied_is_bad(aws: AwsCall) -> None:
    sample = attempted(aws, expect={"query": "length(TableNmes)", "equals": 3})
    assert not sample.crashed
    told = "length(TableNmes) cannot be applied to the answer: In function length(), invalid type"
    assert sample.error.startswith(told)


def test_points_of_time_are_text(aws: AwsCall) -> None:
    made = {"query": "starts_with(Table.CreationDateTime, '20')"}
    table = {"operation": "describe_table", "params": {"TableName": "titles"}}
    sample = attempted(aws, expect=made, **table)
    assert sample.ok, sample.error


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"operation": "describe_table", "params": {"TableName": "none"}},
            "dynamodb describe_table in us-east-1 failed: ResourceNotFoundException: ",
        ),
        (
            {"operation": "describe_table"},
            "dynamodb describe_table in us-east-1 failed: ParamValidationError: Parameter",
        ),
        (
            {"operation": "describe_tabel"},
            "dynamodb describe_tabel in us-east-1 failed: NoSuchOperation: boto3 knows",
        ),
        (
            {"service": "dinamodb"},
            "dinamodb list_tables in us-east-1 failed: NoSuchOperation: boto3 knows",
        ),
    ],
)
def test_a_call_that_fails_is_bad(aws: AwsCall, settings: dict[str, Any], said: str) -> None:
    sample = attempted(aws, **settings)
    assert not sample.ok
    assert not sample.crashed
    assert sample.error.startswith(said)
    assert "\n" not in sample.error


# --- what is sent and what comes ------------------------------------------------------------


def test_params_of_a_file_mean_what_they_look_like() -> None:
    text = b"""
kind: aws
service: ec2
region: us-east-1
operation: describe_instances
params:
  MaxResults: 5
  DryRun: false
  NextToken: "7"
  Filters: [{Name: instance-state-name, Values: [running, 'on', "12"]}]
  InstanceIds: []
expect: {query: length(Reservations), equals: 3}
"""
    read = schema.loads(text, Aws, "probe.yaml")
    assert read.params == {
        "MaxResults": 5,
        "DryRun": False,
        "NextToken": "7",
        "Filters": [{"Name": "instance-state-name", "Values": ["running", "on", "12"]}],
        "InstanceIds": [],
    }
    assert read.expect is not None
    assert read.expect.equals == 3


def test_params_are_handed_on_as_they_are() -> None:
    seen: list[tuple[Any, ...]] = []

    async def call(*what: str, **params: Any) -> dict[str, Any]:
        seen.append((*what, params))
        return {"When": datetime(2026, 3, 1, tzinfo=UTC), "Blob": b"x"}

    params = {"service": 1, "self": {"a": [None]}}
    expect = {"query": "[When, Blob]", "equals": ["2026-03-01T00:00:00+00:00", "b'x'"]}
    sample = attempted(call, params=params, expect=expect)
    assert sample.ok, sample.error
    assert seen == [("dynamodb", EAST, "list_tables", params)]


def test_the_body_of_an_object_is_given_back_unread() -> None:
    body = io.BytesIO(b"much")

    async def call(*_: str, **__: Any) -> dict[str, Any]:
        return {"Body": body, "ContentLength": 4}

    sample = attempted(call, expect={"query": "ContentLength", "equals": 4})
    assert sample.ok, sample.error
    assert body.closed


# --- what cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "only_reads"),
    [
        ("describe_instances", True),
        ("get_item", True),
        ("batch_get_item", True),
        ("query", True),
        ("scan", True),
        ("head_object", True),
        ("test_dns_answer", True),
        ("put_item", False),
        ("receive_message", False),
        ("get_id", False),
        ("get_paginator", False),
        ("get_waiter", False),
        ("getattr", False),
        ("query_and_delete", False),
    ],
)
def test_operations_that_only_read(operation: str, only_reads: bool) -> None:
    assert reads(operation) == only_reads


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"operation": "delete_table"}, "delete_table is not known to only read, and a probe"),
        ({"operation": "DescribeTable"}, "'DescribeTable' is no method of boto3"),
        ({"operation": "describe_table()"}, "is no method of boto3"),
        ({"service": "DynamoDB"}, "pattern"),
        ({"region": "us-east-1a"}, "pattern"),
        ({"expect": {"query": "a["}}, "'a[' is no JMESPath expression: "),
        ({"expect": {"query": ""}}, "'' is no JMESPath expression: "),
        ({"expect": {"query": "a[?b == 'c'"}}, "is no JMESPath expression: "),
        (
            {"expect": {"query": "sort(a)[0] && lenght(b[0:2])"}},
            "JMESPath has no function lenght()",
        ),
        ({"expect": {"equals": 1}}, "Field required"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        probe(**settings)
    assert said in str(error.value)
