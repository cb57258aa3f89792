"""Region, service and operation are read off the request itself, as real SDKs write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from chaos.proxies.framing import RequestHead, parse_request
from chaos.proxies.request import ApiRequest, identify

SESSION = boto3.session.Session("lab", "lab", region_name="eu-west-1")
SIGNED = b"Authorization: AWS4-HMAC-SHA256 Credential=%b, SignedHeaders=host, Signature=0\r\n"


def head(start: bytes, *headers: bytes) -> RequestHead:
    lines = b"".join(header.rstrip(b"\r\n") + b"\r\n" for header in headers)
    return parse_request(start + b" HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n")


class _Caught(Exception):
    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request


def sent_by(service: str, ask: Callable[[Any], object]) -> tuple[RequestHead, bytes]:
    """The head that a boto3 client would send, and the body if that is a form."""

    def catch(request: AWSPreparedRequest, **_: object) -> None:
        raise _Caught(request)

    client = SESSION.client(service, endpoint_url="http://127.0.0.1:1")  # type: ignore[call-overload]  # a variable
    client.meta.events.register("before-send.*.*", catch)
    with pytest.raises(_Caught) as caught:
        ask(client)
    request = caught.value.request
    fields = [f"{name}: {_text(value)}".encode() for name, value in request.headers.items()]
    start = f"{request.method} {request.url.removeprefix('http://127.0.0.1:1')}".encode()
    form = request.body if isinstance(request.body, str) else ""
    return head(start, *fields), form.encode()


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


CALLS: list[tuple[str, Callable[[Any], object], str, str]] = [
    ("dynamodb", lambda c: c.list_tables(), "dynamodb", "ListTables"),
    ("sqs", lambda c: c.list_queues(), "sqs", "ListQueues"),
    ("cloudwatch", lambda c: c.list_dashboards(), "monitoring", "ListDashboards"),
    ("ec2", lambda c: c.describe_instances(), "ec2", "DescribeInstances"),
    ("sts", lambda c: c.get_caller_identity(), "sts", "GetCallerIdentity"),
    ("s3", lambda c: c.put_object(Bucket="b", Key="k", Body=b"x"), "s3", "PutObject"),
    ("route53", lambda c: c.delete_hosted_zone(Id="Z"), "route53", "DeleteHostedZone"),
    ("lambda", lambda c: c.delete_function(FunctionName="f"), "lambda", "DeleteFunction"),
    (
        "eventbridgev2",
        lambda c: c.delete_event_bus(EventBusArn="arn:aws:events:x"),
        "events",
        "DeleteEventBus",
    ),
]


@pytest.mark.parametrize(("client", "ask", "service", "operation"), CALLS)
def test_a_call_of_boto3_is_identified(
    client: str, ask: Callable[[Any], object], service: str, operation: str
) -> None:
    given, form = sent_by(client, ask)
    assert identify(given, form) == ApiRequest(
        region="eu-west-1",
        service=service,
        operation=operation,
        access_key="lab",
        method=given.method.decode(),
        path=given.target.decode().partition("?")[0],
    )


def test_a_presigned_url_has_its_scope_in_the_query() -> None:
    client = SESSION.client("s3", config=Config(signature_version="s3v4"))
    url = client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    path = "/" + url.split("/", 3)[3]
    assert identify(head(f"GET {path}".encode())) == ApiRequest(
        region="eu-west-1",
        service="s3",
        operation="GetObject",
        access_key="lab",
        method="GET",
        path="/b/k",
    )


def test_a_presigned_query_call_names_its_action() -> None:
    url = SESSION.client("sts").generate_presigned_url("get_caller_identity")
    path = "/" + url.split("/", 3)[3]
    found = identify(head(f"GET {path}".encode()))
    assert (found.region, found.operation) == ("eu-west-1", "GetCallerIdentity")


@pytest.mark.parametrize(
    "given",
    [
        head(b"GET /b/k?AWSAccessKeyId=lab&Signature=x&Expires=1"),
        head(b"GET /b/k", b"Authorization: AWS lab:c2lnbmF0dXJl"),
    ],
)
def test_signature_version_2_is_s3_of_no_known_region(given: RequestHead) -> None:
    assert identify(given) == ApiRequest(
        service="s3", operation="GetObject", access_key="lab", method="GET", path="/b/k"
    )


@pytest.mark.parametrize(
    "given",
    [
        head(
            b"GET /",
            b"X-Amz-Region-Set: us-east-1",
            SIGNED.replace(b"HMAC", b"ECDSA-P256") % b"lab/20260101/s3/aws4_request",
        ),
        head(
            b"GET /?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Region-Set=us-east-1"
            b"&X-Amz-Credential=lab%2F20260101%2Fs3%2Faws4_request"
        ),
    ],
)
def test_version_4a_names_its_regions_elsewhere(given: RequestHead) -> None:
    found = identify(given)
    assert (found.region, found.service, found.access_key) == ("us-east-1", "s3", "lab")
    assert found.operation == "ListBuckets"


@pytest.mark.parametrize(
    "given",
    [
        head(b"GET /"),
        head(b"GET /", b"Authorization: Bearer token"),
        head(b"GET /", SIGNED % b"lab/aws4_request"),
        head(b"GET /?X-Amz-Credential=lab%2Faws4_request"),
        head(b"GET /X-Amz-Credential=lab%2F1%2Fr%2Fs%2Faws4_request"),
        head(b"GET /service/only"),
        head(b"GET /service/a/b/operation/C"),
    ],
)
def test_a_request_that_says_nothing_is_nothing(given: RequestHead) -> None:
    path = given.target.decode().partition("?")[0].replace("%2F", "/")
    assert identify(given) == ApiRequest(method="GET", path=path)


def test_the_key_may_be_last_or_alone_in_the_authorization() -> None:
    value = b"Authorization: AWS4-HMAC-SHA256 Signature=0,Credential=a/20260101/r/s/aws4_request"
    found = identify(head(b"GET /", value))
    assert (found.region, found.service, found.access_key) == ("r", "s", "a")
    assert found.operation is None  # nobody knows that service


@pytest.mark.parametrize("form", [b"Version=1&Action=Go", b"Action=Go&Version=1", b"Action=Go"])
def test_the_action_may_stand_anywhere_in_a_form(form: bytes) -> None:
    given = head(b"POST /", b"Content-Type: application/x-www-form-urlencoded; charset=utf-8")
    assert identify(given, form).operation == "Go"


def test_an_object_s_content_is_not_read_as_a_form() -> None:
    assert identify(head(b"PUT /b/k", b"Content-Type: text/plain"), b"Action=Go").operation is None
