"""Operations as boto3 names them, and the actions of IAM that they take."""

from __future__ import annotations

import re

import pytest
from botocore.session import Session
from iam_grammar import ACTION

from chaos.errors import InvalidInput
from chaos.permissions.actions import OTHERWISE, PREFIXES, actions, prefix, prefixes
from chaos.proxies.operations_models import Service, operations, services

# Actions that no operation is called by: permissions alone. Source: Service Authorization
# Reference, the pages of these services.
PERMISSION_ONLY = {
    "dynamodb:ConditionCheckItem",
    "lambda:InvokeFunction",
    "s3:DeleteObjectVersion",
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketCORS",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:PutAccelerateConfiguration",
    "s3:PutBucketCORS",
    "s3:PutBucketNotification",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
}


@pytest.mark.parametrize(
    ("service", "operation", "wanted"),
    [
        ("ec2", "describe_subnets", ("ec2:DescribeSubnets",)),
        ("ec2", "modify_vpc_endpoint", ("ec2:ModifyVpcEndpoint",)),
        ("rds", "failover_db_cluster", ("rds:FailoverDBCluster",)),
        ("elbv2", "describe_target_health", ("elasticloadbalancing:DescribeTargetHealth",)),
        ("stepfunctions", "start_execution", ("states:StartExecution",)),
        ("cloudwatch", "describe_alarms", ("cloudwatch:DescribeAlarms",)),
        ("resourcegroupstaggingapi", "get_resources", ("tag:GetResources",)),
        ("s3", "list_object_versions", ("s3:ListBucketVersions",)),
        ("s3", "list_objects_v2", ("s3:ListBucket",)),
        ("s3", "delete_object", ("s3:DeleteObject", "s3:DeleteObjectVersion")),
        ("lambda", "invoke", ("lambda:InvokeFunction",)),
        ("sqs", "delete_message_batch", ("sqs:DeleteMessage",)),
        ("apigateway", "get_rest_apis", ("apigateway:GET",)),
        ("apigateway", "update_stage", ("apigateway:PATCH",)),
        ("iot-data", "get_thing_shadow", ("iot:GetThingShadow",)),
    ],
)
def test_actions(service: str, operation: str, wanted: tuple[str, ...]) -> None:
    assert actions(service, operation) == wanted


@pytest.mark.parametrize(("service", "operation"), [("ec2", "describe_dreams"), ("ec3", "run")])
def test_what_boto3_does_not_know_is_refused(service: str, operation: str) -> None:
    with pytest.raises(InvalidInput, match=f"boto3 knows no operation {operation} of {service}"):
        actions(service, operation)


def test_the_table_is_of_operations_that_there_are() -> None:
    for service, otherwise in OTHERWISE.items():
        known = {name.lower() for name in operations(model(service))}
        for operation in otherwise:
            assert operation.replace("_", "") in known, operation


def test_what_the_table_says_is_an_operation_or_a_known_permission() -> None:
    for otherwise in OTHERWISE.values():
        for action in {action for named in otherwise.values() for action in named}:
            service, _, name = action.partition(":")
            assert ACTION.fullmatch(action)
            assert name in operations(model(service)) or action in PERMISSION_ONLY, action


def test_every_prefix_in_the_table_is_of_a_service_and_not_its_signing_name() -> None:
    for service, prefix_of in PREFIXES.items():
        assert model(service).signing != prefix_of
        assert prefix(service) == prefix_of
    assert all(re.fullmatch("[A-Za-z0-9-]+", known) for known in prefixes())


def test_boto3_and_the_table_name_operations_alike() -> None:
    session = Session()
    for service in ("ec2", "s3", "rds", "autoscaling", "ssm", "fis", "elasticache"):
        client = session.create_client(
            service,
            "us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="y",  # noqa: S106
        )
        for method, name in client.meta.method_to_api_mapping.items():
            named = actions(service, method)
            changed = OTHERWISE.get(service, {}).get(method)
            assert named == (changed or (f"{prefix(service)}:{name}",))


def model(service: str) -> Service:
    return next(known for known in services() if known.name == service)
