"""The AWS CLI reaches a real emulator through the proxy, and tells its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_cli import aws, needs_aws_cli
from through import Put, as_an_app, through
from upstreams import moto_server

pytestmark = needs_aws_cli


@pytest.fixture(scope="module")
def moto() -> Iterator[tuple[str, int]]:
    with moto_server() as address:
        yield address


def sqs(endpoint: str) -> tuple[str, ...]:
    """Version 1 of the CLI does not heed AWS_ENDPOINT_URL for SQS: it would call AWS itself."""
    return ("sqs", "--endpoint-url", endpoint)


def test_files_and_messages_pass(moto: tuple[str, int], tmp_path: Path) -> None:
    video, copy = tmp_path / "video", tmp_path / "copy"
    video.write_bytes(b"frame" * 2_000_000)  # more than one part of a multipart upload

    def use(endpoint: str, _put: Put) -> None:
        app = as_an_app(endpoint)

        def said(*args: str) -> str:
            done = aws(app, *args)
            assert done.returncode == 0, done.stderr
            return done.stdout

        said("s3", "mb", "s3://films")
        said("s3", "cp", str(video), "s3://films/a b")
        said("s3", "cp", "s3://films/a b", str(copy))
        assert copy.read_bytes() == video.read_bytes()
        told = said(*sqs(endpoint), "create-queue", "--queue-name", "cli", "--output", "json")
        queue = json.loads(told)["QueueUrl"]
        said(*sqs(endpoint), "send-message", "--queue-url", queue, "--message-body", "one")

    operations = {request.operation for request in through(moto, use)}
    assert operations == {
        "CreateBucket",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "HeadObject",
        "GetObject",
        "CreateQueue",
        "SendMessage",
    }


def test_buckets_of_one_region_cannot_be_made_while_it_is_out(moto: tuple[str, int]) -> None:
    def use(endpoint: str, put: Put) -> None:
        app = as_an_app(endpoint)
        put("outage", {"action": "error", "services": ["s3"], "regions": ["us-east-1"]})
        out = aws(app, "s3", "mb", "s3://outage", "--region", "us-east-1")
        assert out.returncode == 1
        assert "An error occurred (ServiceUnavailable) when calling the CreateBucket" in out.stderr
        good = aws(app, "s3", "mb", "s3://outage", "--region", "eu-central-1")
        assert (good.returncode, good.stderr) == (0, "")

    through(moto, use)


@pytest.mark.parametrize(
    ("command", "operation", "code"),
    [
        ("dynamodb list-tables", "ListTables", "ProvisionedThroughputExceededException"),
        ("sqs list-queues", "ListQueues", "AWS.SimpleQueueService.NonExistentQueue"),
        ("s3api list-objects-v2 --bucket b", "ListObjectsV2", "SlowDown"),
        ("sts get-caller-identity", "GetCallerIdentity", "ExpiredToken"),
        ("lambda list-functions", "ListFunctions", "TooManyRequestsException"),
        ("cloudwatch list-dashboards", "ListDashboards", "InternalServiceError"),
        ("ec2 describe-vpcs", "DescribeVpcs", "InvalidVpcID.NotFound"),
        ("route53 list-hosted-zones", "ListHostedZones", "PriorRequestNotComplete"),
    ],
)
def test_the_code_is_told(moto: tuple[str, int], command: str, operation: str, code: str) -> None:
    def use(endpoint: str, put: Put) -> None:
        put("r", {"action": "error", "operations": [operation], "code": code, "status": 400})
        service, _, call = command.partition(" ")
        start = sqs(endpoint) if service == "sqs" else (service,)
        told = aws(as_an_app(endpoint), *start, *call.split())
        said = f"An error occurred ({code}) when calling the {operation} operation"
        assert said in told.stderr
        assert "fault injected by the rule 'r'" in told.stderr

    assert through(moto, use) == []
