"""Policies: the least that is needed, said once, no longer than IAM takes them."""

from __future__ import annotations

import json
from typing import Any

import hcl2
import pytest
import yaml
from iam_grammar import check_policy

from chaos.levers.powers import Grant
from chaos.permissions.arns import fits, placed
from chaos.permissions.needs import Needs
from chaos.permissions.policy import LIMIT, document, documents, size, statements
from chaos.permissions.written import cloudformation, terraform

ACL = "arn:aws:ec2:*:*:network-acl/*"
OURS = {"StringEquals": {"aws:ResourceTag/chaos:run": "${aws:PrincipalTag/run}"}}
NEEDED = Needs(
    look=(
        Grant(actions=("ec2:DescribeSubnets",)),
        Grant(actions=("ec2:DescribeNetworkAcls", "ec2:DescribeSubnets")),
    ),
    inject=(
        Grant(actions=("ec2:CreateNetworkAcl",), resources=(ACL,)),
        Grant(actions=("ec2:CreateNetworkAcl",), resources=("arn:aws:ec2:*:*:vpc/*",)),
    ),
    rollback=(Grant(actions=("ec2:DeleteNetworkAcl",), resources=(ACL,), conditions=OURS),),
    probe=(Grant(actions=("s3:GetObject",), resources=("arn:aws:s3:::films/*",)),),
)


def policy(*parts: str, partition: str = "aws", account: str | None = "123456789012") -> Any:
    asked = parts or ("look", "inject", "rollback", "probe")
    return document(statements(NEEDED, asked, partition=partition, account=account))


def test_each_part_has_statements_of_its_own_and_alike_ones_are_one() -> None:
    found = policy()
    check_policy(found)
    assert found["Statement"] == [
        {
            "Sid": "ChaosLook",
            "Effect": "Allow",
            "Action": ["ec2:DescribeNetworkAcls", "ec2:DescribeSubnets"],
            "Resource": ["*"],
        },
        {
            "Sid": "ChaosInject",
            "Effect": "Allow",
            "Action": ["ec2:CreateNetworkAcl"],
            "Resource": [
                "arn:aws:ec2:*:123456789012:network-acl/*",
                "arn:aws:ec2:*:123456789012:vpc/*",
            ],
        },
        {
            "Sid": "ChaosRollback",
            "Effect": "Allow",
            "Action": ["ec2:DeleteNetworkAcl"],
            "Resource": ["arn:aws:ec2:*:123456789012:network-acl/*"],
            "Condition": OURS,
        },
        {
            "Sid": "ChaosProbe",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::films/*"],
        },
    ]


def test_only_some_parts() -> None:
    assert [s["Sid"] for s in policy("rollback", "look")["Statement"]] == [
        "ChaosLook",
        "ChaosRollback",
    ]


def test_what_differs_in_its_conditions_stays_apart() -> None:
    twice = Needs(rollback=(*NEEDED.rollback, Grant(actions=("ec2:DeleteNetworkAcl",))))
    found = statements(twice, partition="aws", account=None)
    assert [s["Sid"] for s in found] == ["ChaosRollback", "ChaosRollback2"]
    assert [s.get("Condition") for s in found] == [OURS, None]


@pytest.mark.parametrize(
    ("arn", "partition", "account", "wanted"),
    [
        (ACL, "aws-cn", "1", "arn:aws-cn:ec2:*:1:network-acl/*"),
        (ACL, "aws", None, ACL),
        ("arn:aws:s3:::films", "aws-us-gov", "1", "arn:aws-us-gov:s3:::films"),
        ("arn:aws:ec2:*::image/*", "aws", "1", "arn:aws:ec2:*::image/*"),
        ("arn:aws:sqs:eu-west-1:2:q", "aws", "1", "arn:aws:sqs:eu-west-1:2:q"),
        ("arn:aws-cn:sqs:cn-north-1:*:q", "aws-cn", "1", "arn:aws-cn:sqs:cn-north-1:*:q"),
        ("*", "aws-cn", "1", "*"),
    ],
)
def test_arns_are_of_the_partition_and_the_account(
    arn: str, partition: str, account: str | None, wanted: str
) -> None:
    assert placed(arn, partition, account) == wanted


def test_patterns_mean_arns() -> None:
    assert fits("arn:aws:ec2:*:1:subnet/*", "arn:aws:ec2:us-east-1:1:subnet/subnet-1")
    assert fits("arn:aws:s3:::film?", "arn:aws:s3:::films")
    assert not fits("arn:aws:ec2:*:1:subnet/*", "arn:aws:ec2:us-east-1:2:subnet/subnet-1")
    assert not fits("arn:aws:s3:::a.b", "arn:aws:s3:::axb")


def large(many: int) -> list[dict[str, Any]]:
    arns = tuple(f"arn:aws:dynamodb:us-east-1:*:table/table-number-{n:04}" for n in range(many))
    needed = Needs(inject=(Grant(actions=("dynamodb:PutItem",), resources=arns),))
    return [*policy()["Statement"], *statements(needed, partition="aws", account="1" * 12)]


def test_what_is_too_long_becomes_several_that_allow_the_same() -> None:
    whole = large(250)
    assert size(document(whole)) > 2 * LIMIT
    found = documents(whole)
    assert 2 < len(found) < 6
    for each in found:
        check_policy(each)
        assert size(each) <= LIMIT
    assert allowed(found) == allowed([document(whole)])


def allowed(policies: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (action, resource, json.dumps(statement.get("Condition")))
        for policy in policies
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def test_what_fits_is_one() -> None:
    assert documents(policy()["Statement"]) == [policy()]


def test_terraform_reads_it_as_the_same() -> None:
    read = hcl2.loads(terraform("region-outage", [policy()]) + "\n")
    (data,), (resource,) = read["data"], read["resource"]
    blocks = plain(data)["aws_iam_policy_document"]["chaos_region_outage"]["statement"]
    assert [from_hcl(block) for block in blocks] == policy()["Statement"]
    made = plain(resource)["aws_iam_policy"]["chaos_region_outage"]
    assert made["name"] == "chaos-region-outage"
    assert made["policy"] == "${data.aws_iam_policy_document.chaos_region_outage.json}"


def test_terraform_numbers_several() -> None:
    text = terraform("x", documents(large(250)))
    assert 'resource "aws_iam_policy" "chaos_x_1"' in text
    assert 'resource "aws_iam_policy" "chaos_x_3"' in text
    hcl2.loads(text + "\n")


def plain(value: Any) -> Any:
    """Without the quotes that this reader keeps."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items() if key != "__is_block__"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.strip('"') if isinstance(value, str) else value


def from_hcl(block: dict[str, Any]) -> dict[str, Any]:
    """The statement that Terraform makes of a block: `&{` stands for IAM's own `${`."""
    statement: dict[str, Any] = {
        "Sid": block["sid"],
        "Effect": "Allow",
        "Action": block["actions"],
        "Resource": block["resources"],
    }
    for condition in block.get("condition", []):
        (value,) = condition["values"]
        keys = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        keys[condition["variable"]] = value.replace("&{", "${")
    return statement


def test_cloudformation_is_yaml_with_the_same_policy() -> None:
    template = yaml.safe_load(cloudformation("region-outage", [policy()]))
    assert template["AWSTemplateFormatVersion"] == "2010-09-09"
    (made,) = template["Resources"].items()
    assert made[0] == "ChaosRegionOutage"
    assert made[1]["Type"] == "AWS::IAM::ManagedPolicy"
    assert made[1]["Properties"]["PolicyDocument"] == policy()
    assert template["Outputs"]["ChaosRegionOutageArn"] == {"Value": {"Ref": "ChaosRegionOutage"}}


def test_cloudformation_numbers_several() -> None:
    many = documents(large(250))
    template = yaml.safe_load(cloudformation("x", many))
    found = [made["Properties"]["PolicyDocument"] for made in template["Resources"].values()]
    assert found == many
