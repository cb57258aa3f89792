"""The AWS SDK for JavaScript reaches a real emulator through the proxy, and raises its errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk_js import calls, installed, needs_node
from through import Put, through
from upstreams import moto_server

from chaos.proxies.request import ApiRequest

pytestmark = needs_node

TABLE = {
    "TableName": "history",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ITEM = {"id": {"S": "ä"}, "n": {"N": "1"}}
VIDEO: dict[str, Any] = {"Bucket": "videos", "Key": "a b/c"}
METRIC = {"Namespace": "stream", "MetricData": [{"MetricName": "plays", "Value": 1}]}


@pytest.fixture(scope="module")
def moto(sdk: Path) -> Iterator[tuple[str, int]]:
    with moto_server() as address:
        yield address


@pytest.fixture(scope="module")
def sdk() -> Path:
    """Installing takes longer than a test may."""
    return installed()


def operations(seen: list[ApiRequest]) -> list[tuple[str | None, str | None]]:
    assert {(request.region, request.access_key) for request in seen} == {("eu-west-1", "lab")}
    return [(request.service, request.operation) for request in seen]


def test_seven_services_answer_through_the_proxy(moto: tuple[str, int]) -> None:
    def use(endpoint: str, _put: Put) -> None:
        results = calls(
            endpoint,
            ("dynamodb", "CreateTable", TABLE),
            ("dynamodb", "PutItem", {"TableName": "history", "Item": ITEM}),
            ("dynamodb", "GetItem", {"TableName": "history", "Key": {"id": {"S": "ä"}}}),
            ("s3", "CreateBucket", {"Bucket": "videos"}),
            ("s3", "PutObject", VIDEO | {"Body": "äöü" * 9999}),
            ("s3", "GetObject", VIDEO),
            ("s3", "ListObjectsV2", {"Bucket": "videos"}),
            ("s3", "CopyObject", VIDEO | {"Key": "copy", "CopySource": "videos/a%20b/c"}),
            ("s3", "HeadObject", VIDEO),
            ("s3", "DeleteObjects", {"Bucket": "videos", "Delete": {"Objects": [{"Key": "copy"}]}}),
            ("sts", "GetCallerIdentity", {}),
            ("lambda", "ListFunctions", {}),
            ("cloudwatch", "PutMetricData", METRIC),
            ("ec2", "DescribeVpcs", {}),
        )
        assert not [result for result in results if "error" in result]
        assert results[2]["output"]["Item"] == ITEM
        assert results[5]["output"]["Body"] == "äöü" * 9999
        assert [found["Key"] for found in results[6]["output"]["Contents"]] == ["a b/c"]
        assert results[10]["output"]["Account"] == "123456789012"
        assert results[13]["output"]["Vpcs"]

    seen = through(moto, use)
    assert operations(seen) == [
        ("dynamodb", "CreateTable"),
        ("dynamodb", "PutItem"),
        ("dynamodb", "GetItem"),
        ("s3", "CreateBucket"),
        ("s3", "PutObject"),
        ("s3", "GetObject"),
        ("s3", "ListObjectsV2"),
        ("s3", "CopyObject"),
        ("s3", "HeadObject"),
        ("s3", "DeleteObjects"),
        ("sts", "GetCallerIdentity"),
        ("lambda", "ListFunctions"),
        ("monitoring", "PutMetricData"),
        ("ec2", "DescribeVpcs"),
    ]
    assert seen[4].path == "/videos/a b/c"


def test_sqs_stays_inside_the_proxy(moto: tuple[str, int]) -> None:
    """This SDK calls the host of the QueueUrl, which the emulator makes of the Host it was sent."""

    def use(endpoint: str, put: Put) -> None:
        (made,) = calls(endpoint, ("sqs", "CreateQueue", {"QueueName": "jobs"}))
        queue = {"QueueUrl": made["output"]["QueueUrl"]}
        assert queue["QueueUrl"].startswith(f"{endpoint}/")
        _, got = calls(
            endpoint,
            ("sqs", "SendMessage", queue | {"MessageBody": "encode 1"}),
            ("sqs", "ReceiveMessage", queue),
        )
        assert got["output"]["Messages"][0]["Body"] == "encode 1"
        put("r", {"action": "error", "operations": ["SendMessage"], "code": "RequestThrottled"})
        (failed,) = calls(endpoint, ("sqs", "SendMessage", queue | {"MessageBody": "encode 2"}))
        assert failed["error"]["name"] == "RequestThrottled"

    assert operations(through(moto, use)) == [
        ("sqs", "CreateQueue"),
        ("sqs", "SendMessage"),
        ("sqs", "ReceiveMessage"),
    ]


# Service, call, the rule's code and status, the name of the error that the SDK throws.
ERRORS: list[tuple[str, str, dict[str, Any], str, int, str]] = [
    ("dynamodb", "ListTables", {}, "ThrottlingException", 400, "ThrottlingException"),
    ("sqs", "ListQueues", {}, "RequestThrottled", 403, "RequestThrottled"),
    (
        "sqs",
        "GetQueueUrl",
        {"QueueName": "none"},
        "AWS.SimpleQueueService.NonExistentQueue",
        400,
        "QueueDoesNotExist",  # as of the real service, whose JSON names the exception
    ),
    ("s3", "GetObject", VIDEO, "NoSuchKey", 404, "NoSuchKey"),
    ("s3", "ListObjectsV2", {"Bucket": "videos"}, "SlowDown", 503, "SlowDown"),
    ("sts", "GetCallerIdentity", {}, "ExpiredToken", 403, "ExpiredToken"),
    ("lambda", "ListFunctions", {}, "TooManyRequestsException", 429, "TooManyRequestsException"),
    ("cloudwatch", "ListDashboards", {}, "InternalServiceFault", 500, "InternalServiceFault"),
    ("ec2", "DescribeVpcs", {}, "InvalidVpcID.NotFound", 400, "InvalidVpcID.NotFound"),
    # HEAD has no body: the SDK makes a name of the status.
    ("s3", "HeadObject", VIDEO, "NoSuchKey", 404, "NotFound"),
]


def test_errors_have_their_names(moto: tuple[str, int]) -> None:
    def use(endpoint: str, put: Put) -> None:
        for number, (_, command, _, code, status, _) in enumerate(ERRORS):
            rule = {"action": "error", "operations": [command], "code": code, "status": status}
            put(f"r{number}", rule)
        results = calls(endpoint, *[(s, command, given) for s, command, given, *_ in ERRORS])
        found = [(result["error"]["name"], result["error"]["status"]) for result in results]
        assert found == [(name, status) for *_, status, name in ERRORS]
        assert results[0]["error"]["message"] == "fault injected by the rule 'r0'"

    assert through(moto, use) == []
