"""Routes of REST services, both styles of S3, names of services, and calls that nobody signed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from chaos.proxies.framing import parse_request
from chaos.proxies.operations import (
    names_of,
    operations_of,
    prepare,
    rest_operation,
    service_names,
    signing_of,
)
from chaos.proxies.request import ApiRequest, identify
from chaos.proxies.s3_style import bucket_of

COPY = {b"x-amz-copy-source": b"/b/other"}
AWS4 = "AWS4-HMAC-SHA256 Credential=k/20260101/eu-west-1/{}/aws4_request, Signature=0"


def asked(line: str, body: bytes = b"", /, **fields: str) -> ApiRequest:
    """What a request with that line and those headers asks for."""
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return identify(parse_request("\r\n".join([f"{line} HTTP/1.1", *lines, "", ""]).encode()), body)


@pytest.mark.parametrize(
    ("line", "headers", "operation"),
    [
        ("GET /", {}, "ListBuckets"),
        ("PUT /b", {}, "CreateBucket"),
        ("PUT /b/", {}, "CreateBucket"),
        ("HEAD /b", {}, "HeadBucket"),
        ("GET /b", {}, "ListObjects"),
        ("GET /b/?prefix=a%2Fb&list-type=2&max-keys=5", {}, "ListObjectsV2"),
        ("GET /b?versions", {}, "ListObjectVersions"),
        ("GET /b?versioning", {}, "GetBucketVersioning"),
        ("GET /b?uploads", {}, "ListMultipartUploads"),
        ("GET /b?analytics&id=1", {}, "GetBucketAnalyticsConfiguration"),
        ("GET /b?analytics", {}, "ListBucketAnalyticsConfigurations"),
        ("POST /b?delete", {}, "DeleteObjects"),
        ("GET /b/k", {}, "GetObject"),
        ("GET /b/k?x-id=GetObject&partNumber=1", {}, "GetObject"),
        ("GET /b/a/b//c", {}, "GetObject"),
        ("GET /b/folder/", {}, "GetObject"),
        ("GET /b//", {}, "GetObject"),
        ("HEAD /b/k?versionId=1", {}, "HeadObject"),
        ("GET /b/k?tagging", {}, "GetObjectTagging"),
        ("GET /b/k?uploadId=1", {}, "ListParts"),
        ("PUT /b/k", {}, "PutObject"),
        ("PUT /b/k", COPY, "CopyObject"),
        ("POST /b/k?uploads", {}, "CreateMultipartUpload"),
        ("PUT /b/k?partNumber=1&uploadId=1", {}, "UploadPart"),
        ("PUT /b/k?partNumber=1&uploadId=1&x-id=UploadPartCopy", COPY, "UploadPartCopy"),
        ("POST /b/k?uploadId=1", {}, "CompleteMultipartUpload"),
        ("DELETE /b/k?uploadId=1", {}, "AbortMultipartUpload"),
        ("DELETE /b/k", {}, "DeleteObject"),
        ("POST /b/k?select&select-type=2", {}, "SelectObjectContent"),
        ("GET /v20180820/jobs", {}, "ListJobs"),
        ("OPTIONS /b/k", {}, None),
        ("POST /b/k", {}, None),
    ],
)
def test_s3_s_operations_are_told_apart(
    line: str, headers: Mapping[bytes, bytes], operation: str | None
) -> None:
    method, _, target = line.encode().partition(b" ")
    path, _, query = target.partition(b"?")
    assert rest_operation("s3", method, path, query, headers) == operation


def test_what_follows_a_greedy_label_counts() -> None:
    portal = b"/portals/arn:aws:workspaces-web:portal/1"
    ask = ("workspaces-web", b"PUT")
    assert rest_operation(*ask, portal, b"", {}) == "UpdatePortal"
    found = rest_operation(*ask, portal + b"/userSettings", b"userSettingsArn=a", {})
    assert found == "AssociateUserSettings"


def test_a_request_that_lacks_what_is_required_is_still_an_operation() -> None:
    assert rest_operation("s3", b"GET", b"/b/k", b"annotation", {}) == "ListObjectAnnotations"
    assert rest_operation("s3", b"PUT", b"/b/k", b"partNumber=1", {}) == "PutObject"


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("127.0.0.1:4566", ""),
        ("localhost:4566", ""),
        ("localstack", ""),
        ("s3.amazonaws.com", ""),
        ("s3-us-west-2.amazonaws.com", ""),
        ("s3.localhost.localstack.cloud:4566", ""),
        ("123456789012.127.0.0.1", ""),
        ("proxy.example.com", ""),
        ("my.videos.s3.eu-west-1.amazonaws.com", "/my.videos"),
        ("videos.s3.localhost.localstack.cloud:4566", "/videos"),
        ("videos.s3-accelerate.amazonaws.com", "/videos"),
        ("b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "/b--use1-az4--x-s3"),
        ("videos.localhost:4566", "/videos"),
        ("my.s3.videos.s3.amazonaws.com", "/my.s3.videos"),
    ],
)
def test_a_host_may_begin_with_a_bucket(host: str, bucket: str) -> None:
    assert bucket_of(host.encode()) == bucket.encode()


def test_s3_s_path_always_begins_with_the_bucket() -> None:
    s3 = {"authorization": AWS4.format("s3")}
    found = asked("PUT /a%20b/c", host="videos.s3.eu-west-1.amazonaws.com", **s3)
    assert (found.method, found.path, found.operation) == ("PUT", "/videos/a b/c", "PutObject")
    found = asked("GET /?list-type=2", host="videos.localhost:4566", **s3)
    assert (found.path, found.operation) == ("/videos/", "ListObjectsV2")
    found = asked("GET /v20180820/jobs", host="123456789012.localhost", **s3)
    assert (found.path, found.operation) == ("/v20180820/jobs", "ListJobs")


@pytest.mark.parametrize(
    ("name", "signing"),
    [
        ("cloudwatch", {"monitoring", "cloudwatch"}),  # CloudWatch Omni signs with that name
        ("monitoring", {"monitoring"}),
        ("stepfunctions", {"states"}),
        ("SFN", {"states"}),
        ("Route 53", {"route53"}),
        ("route-53", {"route53"}),
        ("docdb", {"rds"}),
        ("streams.dynamodb", {"dynamodb"}),
        ("s3", {"s3", "s3express", "s3-object-lambda", "s3-outposts"}),
        ("s3express", {"s3express"}),
        ("sss", set()),
    ],
)
def test_a_service_has_many_names(name: str, signing: set[str]) -> None:
    assert signing_of(name) == signing
    assert (name in service_names()) == bool(signing)


def test_names_and_operations_by_the_signing_name() -> None:
    assert {"monitoring", "cloudwatch", "CloudWatch"} == names_of("monitoring")
    assert {"sesv2", "ses", "email"} <= names_of("ses")
    assert names_of("nobody") == operations_of("nobody") == frozenset()
    assert {"SendEmail", "CreateEmailIdentity"} <= operations_of("ses")
    assert {"ListObjectsV2", "ListJobs"} <= operations_of("s3")


def test_the_models_can_be_read_ahead_in_a_thread() -> None:
    asyncio.run(asyncio.to_thread(prepare))
    assert rest_operation("lambda", b"GET", b"/2015-03-31/functions", b"", {}) == "ListFunctions"


COGNITO = {"x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth"}
SSO = {"x-amz-sso_bearer_token": "token"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("found", "region", "service", "operation"),
    [
        (
            asked("POST /", **COGNITO),
            None,
            "cognito-idp",
            "InitiateAuth",
        ),
        (
            asked("POST /", b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15", **FORM),
            None,
            "sts",
            "AssumeRoleWithWebIdentity",
        ),
        (
            asked("POST /", b"Action=ListIdentities&Version=2010-12-01", **FORM),
            None,
            "ses",  # as Elastic Beanstalk, whose version is the same, has no such operation
            "ListIdentities",
        ),
        (
            asked("POST /", b"Action=GetIt&Version=1999-01-01", **FORM),
            None,
            None,
            "GetIt",
        ),
        (
            asked("POST /", b"Action=X", host="sts.eu-west-3.amazonaws.com", **FORM),
            "eu-west-3",
            "sts",
            "X",
        ),
        (
            asked("POST /service/GraniteServiceVersion20100801/operation/PutMetricData"),
            None,
            "monitoring",
            "PutMetricData",
        ),
        (
            asked("GET /b/k", host="s3.us-west-2.amazonaws.com"),
            "us-west-2",
            "s3",
            "GetObject",
        ),
        (
            asked("GET /k", host="videos.s3.dualstack.us-west-2.amazonaws.com"),
            "us-west-2",
            "s3",
            "GetObject",
        ),
        (asked("GET /k", host="videos.s3-us-west-2.amazonaws.com"), "us-west-2", "s3", "GetObject"),
        (
            asked("GET /b/k", **{"user-agent": "aws-sdk-js/3.1 api/s3#3.1.0 m/N"}),
            None,
            "s3",
            "GetObject",
        ),
        (
            asked(
                "POST /", **{"user-agent": "aws-sdk-go-v2/1.3 api/cognitoidentity#1.2.3 lang/go"}
            ),
            None,
            "cognito-identity",
            None,
        ),
        (
            asked("GET /federation/credentials?role_name=r&account_id=1", **SSO),
            None,
            "awsssoportal",
            "GetRoleCredentials",
        ),
        (asked("GET /federation/credentials?role_name=r&account_id=1"), None, None, None),
        (asked("POST /client/register"), None, "sso-oauth", "RegisterClient"),
        (
            asked("POST /model/a.b/converse", authorization="Bearer key"),
            None,
            "bedrock",
            "Converse",
        ),
        (asked("GET /", host="nobody.us-east-1.amazonaws.com"), "us-east-1", None, None),
        (asked("GET /_localstack/health", host="127.0.0.1:4566"), None, None, None),
    ],
)
def test_who_signs_nothing_is_known_by_what_else_is_said(
    found: ApiRequest, region: str | None, service: str | None, operation: str | None
) -> None:
    assert (found.region, found.service, found.operation) == (region, service, operation)


def test_simpledb_s_signature_of_version_2_stands_in_the_form() -> None:
    found = asked("POST /", b"AWSAccessKeyId=k&Action=ListDomains&Version=2009-04-15", **FORM)
    assert (found.service, found.operation, found.access_key) == ("sdb", "ListDomains", "k")
    found = asked("GET /?AWSAccessKeyId=k&Action=ListDomains&Version=2009-04-15&SignatureVersion=2")
    assert (found.service, found.operation, found.access_key) == ("sdb", "ListDomains", "k")


def test_a_long_search_is_posted_as_a_form() -> None:
    """CloudSearch takes its GET so, and boto3 sends it so."""
    signed = {"authorization": AWS4.format("cloudsearch")}
    found = asked("POST /2013-01-01/search", b"format=sdk&pretty=true&q=x", **FORM, **signed)
    assert found.operation == "Search"
