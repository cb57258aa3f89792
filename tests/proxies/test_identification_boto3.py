"""A boto3 client of every service: its calls are identified, and injected errors keep their codes.

The clients are real up to the wire, signing names and regions of endpoint rules included; what
would be sent is given to the proxy's own code, and its answer is what the client receives.
"""

from __future__ import annotations

from typing import Any

import aws_requests as aws
import boto3
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ClientError

from chaos.proxies.aws_errors import error_response
from chaos.proxies.framing import RequestHead
from chaos.proxies.operations import signing_of
from chaos.proxies.request import ApiRequest, identify

SESSION = boto3.session.Session("AKIDSWEEP", "secret", region_name=aws.REGION)
ONCE = Config(parameter_validation=False, retries={"total_max_attempts": 1})
CODE = "AWS.Some.Throttling-Code"

# Endpoint rules that sign otherwise than the model says: service, or its operation.
SIGNED_AS = {
    "ListDirectoryBuckets": "s3express",
    "WriteGetObjectResponse": "s3-object-lambda",
    "DeleteAccessPointScope": "s3express",
    "GetAccessPointScope": "s3express",
    "ListAccessPointsForDirectoryBuckets": "s3express",
    "PutAccessPointScope": "s3express",
    "importexport": "IngestionService",
}
# botocore gives bearer tokens to HTTPS alone.
BY_TOKEN = {"codecatalyst": "CODECATALYST", "account-access-runtime": "ACCOUNT_ACCESS"}
# It signs with Version 4A, for which botocore needs a library of its own; see test_request.
VERSION_4A = {"cloudfront-keyvaluestore"}
# It has one region, and its endpoint rules say so even of another endpoint.
REGIONS = {"pricing-plan-manager": "us-east-1"}
# Signature Version 2, a bearer token, or nothing.
REGIONLESS = {"sdb", "sso", "sso-oidc", *BY_TOKEN}
# Identified as another, see test_identification_sweep.
AMBIGUOUS = {"GetBucketLifecycle", "GetBucketNotification"} | {
    "PutBucketLifecycle",
    "PutBucketNotification",
}


class Answer:
    """A body, as urllib3 gives it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Any:
        yield self._body

    def read(self, *_: object) -> bytes:
        body, self._body = self._body, b""
        return body


class Wire:
    """What a client is connected to instead of a network: every call fails."""

    def __init__(self) -> None:
        self.heads: list[RequestHead] = []
        self.requests: list[ApiRequest] = []

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        head, body = aws.on_the_wire(request)
        self.heads.append(head)
        self.requests.append(identify(head, body))
        said = error_response(head, self.requests[-1], status=503, code=CODE, message="m")
        start, content = said.partition(b"\r\n\r\n")[::2]
        lines = start.decode().split("\r\n")[1:]
        fields: Any = HeadersDict([line.split(": ", 1) for line in lines])
        return AWSResponse(request.url, 503, fields, Answer(content))


def some(client: Any) -> list[str]:
    """All of S3's operations, which has most ways to be asked; of others three."""
    methods = client.meta.method_to_api_mapping.items()
    names = sorted(name for method, name in methods if hasattr(client, method))
    if client.meta.service_model.service_name in ("s3", "s3control"):
        return names
    return sorted({names[0], names[len(names) // 2], names[-1]})


@pytest.mark.parametrize("service", sorted(set(aws.service_names()) - VERSION_4A))
def test_a_client_s_calls_are_identified_and_fail_by_their_code(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = "https" if service in BY_TOKEN else "http"
    monkeypatch.setenv(f"AWS_BEARER_TOKEN_{BY_TOKEN.get(service)}", "token")
    wire = Wire()
    client: Any = SESSION.client(  # type: ignore[call-overload]  # a variable
        service, endpoint_url=f"{scheme}://{aws.HOST}", config=ONCE
    )
    client.meta.events.register("before-send.*.*", wire.send)
    model = client.meta.service_model
    for name in some(client):
        arguments = aws.arguments(model.operation_model(name).input_shape, all_members=False)
        with pytest.raises(ClientError) as caught:
            getattr(client, xform_name(name))(**arguments)
        request, head = wire.requests[-1], wire.heads[-1]
        code = "503" if head.method == b"HEAD" else CODE
        assert caught.value.response["Error"]["Code"] == code, name
        signing = SIGNED_AS.get(name) or SIGNED_AS.get(service) or model.signing_name
        assert request.service == signing, name
        assert request.service in signing_of(service), f"{name} would escape a rule for {service}"
        assert request.operation == name or name in AMBIGUOUS, name
        if service in REGIONLESS or b"authorization" not in head.headers:
            assert request.region is None, name
        else:
            assert request.region == REGIONS.get(service, aws.REGION), name
    client.close()
