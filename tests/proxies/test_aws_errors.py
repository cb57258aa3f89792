"""Injected errors are raised by real SDK clients under their own codes, in every protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from upstreams import run

from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.aws_errors import error_response, protocol_of
from chaos.proxies.framing import parse_request
from chaos.proxies.request import identify
from chaos.proxies.rules import Rules

SESSION = boto3.session.Session("lab", "lab", region_name="eu-west-1")
NOWHERE = ("127.0.0.1", 1)


def raised(service: str, ask: Callable[[Any], object], rule: dict[str, Any] | None) -> ClientError:
    """What a boto3 client raises for a call that meets the rule, or no upstream at all."""

    def call(port: int) -> ClientError:
        once = Config(retries={"total_max_attempts": 1})
        client = SESSION.client(  # type: ignore[call-overload]  # the service is a variable
            service, endpoint_url=f"http://127.0.0.1:{port}", config=once
        )
        client.meta.events.register("before-call.s3-control", without_account)
        with pytest.raises(ClientError) as caught:
            ask(client)
        client.close()
        return caught.value

    async def test() -> ClientError:
        rules = Rules()
        rules.put("r", rule)
        proxy = ApiProxy(NOWHERE, rules)
        try:
            return await asyncio.to_thread(call, await proxy.start())
        finally:
            await proxy.stop()

    return run(test())


def without_account(params: dict[str, Any], **_: object) -> None:
    """S3 Control puts the account before the host's name, and 127.0.0.1 has no such names."""
    params["url"] = params["url"].replace("1" * 12 + ".", "")


CALLS: list[tuple[str, Callable[[Any], object], str, int]] = [
    ("dynamodb", lambda c: c.list_tables(), "ProvisionedThroughputExceededException", 400),
    ("sqs", lambda c: c.list_queues(), "AWS.SimpleQueueService.NonExistentQueue", 400),
    ("sts", lambda c: c.get_caller_identity(), "Throttling", 400),
    ("ec2", lambda c: c.describe_instances(), "RequestLimitExceeded", 503),
    ("s3", lambda c: c.get_object(Bucket="b", Key="k"), "SlowDown", 503),
    ("s3", lambda c: c.put_object(Bucket="b", Key="k", Body=b"x" * 99), "SlowDown", 503),
    ("s3control", lambda c: c.list_jobs(AccountId="1" * 12), "TooManyRequestsException", 400),
    ("route53", lambda c: c.list_hosted_zones(), "PriorRequestNotComplete", 400),
    ("cloudfront", lambda c: c.list_distributions(), "AccessDenied", 403),
    ("lambda", lambda c: c.list_functions(), "TooManyRequestsException", 429),
    ("lambda", lambda c: c.invoke(FunctionName="f", Payload=b"{}"), "ServiceException", 500),
    ("cloudwatch", lambda c: c.list_dashboards(), "InternalServiceFault", 500),
    ("autoscaling", lambda c: c.describe_auto_scaling_groups(), "ResourceContention", 500),
    ("sdb", lambda c: c.list_domains(), "ServiceUnavailable", 503),
    ("eventbridgev2", lambda c: c.delete_event_bus(EventBusArn="a" * 20), "ThrottledOut", 429),
]


@pytest.mark.parametrize(("service", "ask", "code", "status"), CALLS)
def test_the_client_raises_the_code_that_was_asked_for(
    service: str, ask: Callable[[Any], object], code: str, status: int
) -> None:
    error = raised(service, ask, {"action": "error", "code": code, "status": status})
    assert error.response["Error"]["Code"] == code
    assert error.response["Error"]["Message"] == "fault injected by the rule 'r'"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.response["ResponseMetadata"]["RequestId"].startswith("chaos-")


def test_the_modeled_exception_is_raised() -> None:
    error = raised(
        "sqs", lambda c: c.list_queues(), {"action": "error", "code": "RequestThrottled"}
    )
    assert type(error).__name__ == "RequestThrottled"
    for code, exception in (
        ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
        ("AWS.SimpleQueueService.BatchRequestTooLong", "BatchRequestTooLong"),
        ("KMS.ThrottlingException", "KmsThrottled"),
    ):
        error = raised("sqs", lambda c: c.list_queues(), {"action": "error", "code": code})
        assert type(error).__name__ == exception
        assert error.response["Error"]["Code"] == code
    error = raised(
        "lambda",
        lambda c: c.list_functions(),
        {"action": "error", "code": "TooManyRequestsException"},
    )
    assert type(error).__name__ == "TooManyRequestsException"


def test_without_a_code_the_service_is_unavailable() -> None:
    error = raised("dynamodb", lambda c: c.list_tables(), {"action": "error"})
    assert error.response["Error"]["Code"] == "ServiceUnavailable"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_head_has_no_body_so_its_code_is_the_status() -> None:
    error = raised("s3", lambda c: c.head_object(Bucket="b", Key="k"), {"action": "error"})
    assert error.response["Error"]["Code"] == "503"


@pytest.mark.parametrize(
    ("service", "ask"),
    [
        ("dynamodb", lambda c: c.list_tables()),
        ("ec2", lambda c: c.describe_instances()),
        ("s3", lambda c: c.get_object(Bucket="b", Key="k")),
    ],
)
def test_an_upstream_that_is_down_is_named_in_the_client_s_own_words(
    service: str, ask: Callable[[Any], object]
) -> None:
    error = raised(service, ask, None)
    assert error.response["Error"]["Code"] == "BadGateway"
    assert error.response["Error"]["Message"] == (
        "the AWS API behind the proxy, at 127.0.0.1:1, cannot be reached: Connection refused"
    )


def asked(start: bytes, *headers: bytes) -> bytes:
    return start + b" HTTP/1.1\r\n" + b"".join(h + b"\r\n" for h in headers) + b"\r\n"


def signed(service: bytes) -> bytes:
    return b"Authorization: AWS4-HMAC-SHA256 Credential=k/d/r/" + service + b"/aws4_request"


S3 = signed(b"s3")


@pytest.mark.parametrize(
    ("raw", "protocol"),
    [
        (asked(b"POST /", b"X-Amz-Target: A.B", signed(b"monitoring")), "json"),
        (asked(b"POST /", b"Content-Type: application/x-amz-json-1.1"), "json"),
        (asked(b"POST /service/A/operation/B", b"smithy-protocol: rpc-v2-cbor"), "cbor"),
        (
            asked(b"POST /", b"Content-Type: application/x-amz-cbor-1.1", b"X-Amz-Target: A.B"),
            "cbor",
        ),
        (asked(b"POST /", b"Content-Type: application/x-www-form-urlencoded"), "query"),
        (asked(b"GET /?Action=A", signed(b"ec2")), "ec2"),
        (asked(b"GET /?Action=A", signed(b"sts")), "query"),
        (asked(b"GET /b/k", S3), "s3"),
        (asked(b"GET /b/k?AWSAccessKeyId=k"), "s3"),
        (asked(b"GET /v20180820/jobs", S3), "rest-xml"),
        (asked(b"POST /b?delete", b"Content-Type: application/x-www-form-urlencoded", S3), "s3"),
        (asked(b"GET /S3Outposts/ListEndpoints", signed(b"s3-outposts")), "rest-json"),
        (asked(b"GET /2013-04-01/hostedzone", signed(b"route53")), "rest-xml"),
        (asked(b"GET /2015-03-31/functions", signed(b"lambda")), "rest-json"),
        (asked(b"GET /"), "rest-json"),
    ],
)
def test_the_protocol_is_the_request_s(raw: bytes, protocol: str) -> None:
    head = parse_request(raw)
    assert protocol_of(head, identify(head)) == protocol


def test_texts_are_escaped() -> None:
    head = parse_request(asked(b"GET /b/k", S3))
    raw = error_response(head, identify(head), status=400, code="A", message="<b> & c")
    assert b"<Message>&lt;b&gt; &amp; c</Message>" in raw


def test_the_older_cbor_gets_its_own_content_type() -> None:
    head = parse_request(asked(b"POST /", b"Content-Type: application/x-amz-cbor-1.1"))
    raw = error_response(head, identify(head), status=400, code="A", message="m")
    assert b"\r\nContent-Type: application/x-amz-cbor-1.1\r\n" in raw
    assert raw.endswith(b"\xa2\x79\x00\x06__type\x79\x00\x01A\x79\x00\x07message\x79\x00\x01m")
