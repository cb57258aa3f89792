"""What IAM is asked, and what its answers mean."""

from __future__ import annotations

import asyncio
from typing import Any

from asked_accounts import ROLE, AskedAccount

from chaos.levers.powers import Grant
from chaos.permissions.needs import Needs
from chaos.plan.simulation import Permission, Request, requests, simulated

SUBNETS = [f"arn:aws:ec2:us-east-1:123456789012:subnet/subnet-{n}" for n in range(45)]
ACLS = "arn:aws:ec2:*:*:network-acl/*"
OURS = {"StringLike": {"aws:ResourceTag/chaos:run": "*"}, "Null": {"aws:TokenIssueTime": "false"}}
NEEDED = Needs(
    look=(Grant(actions=("ec2:DescribeSubnets",)),),
    inject=(
        Grant(
            actions=("ec2:ReplaceNetworkAclAssociation",),
            resources=(ACLS, "arn:aws:ec2:*:*:subnet/*"),
        ),
    ),
    rollback=(Grant(actions=("ec2:DeleteNetworkAcl",), resources=(ACLS,), conditions=OURS),),
)


def asked() -> list[Request]:
    return list(requests(NEEDED, SUBNETS, partition="aws", account="123456789012"))


def answers(**account: Any) -> list[Permission]:
    return asyncio.run(simulated(AskedAccount(**account), "us-east-1", ROLE, asked()))


def test_it_is_asked_of_what_is_touched_and_of_what_comes_to_be_only_then() -> None:
    look, *inject, rollback = asked()
    assert (look.part, look.actions, look.resources) == ("look", ("ec2:DescribeSubnets",), ("*",))
    acls = "arn:aws:ec2:*:123456789012:network-acl/*"
    assert [arn for request in inject for arn in request.resources] == [acls, *SUBNETS]
    assert max(len(request.resources) for request in inject) <= 20
    assert rollback.resources == (acls,)


def test_what_conditions_ask_for_is_given() -> None:
    context = {entry["ContextKeyName"]: entry for entry in asked()[-1].context}
    tag = context["aws:ResourceTag/chaos:run"]
    assert (tag["ContextKeyType"], tag["ContextKeyValues"]) == ("string", ["x"])
    assert context["aws:TokenIssueTime"]["ContextKeyValues"] == ["given"]


def test_all_pages_are_read() -> None:
    account = AskedAccount(page=3)
    found = asyncio.run(simulated(account, "us-east-1", ROLE, asked()))
    assert len(found) == 1 + 46 + 1
    assert {p.answer for p in found} == {"allowed"}
    assert all(params["PolicySourceArn"] == ROLE for _, params in account.calls)


def test_what_is_missing_is_named_with_what_it_is_for() -> None:
    (missing,) = [p for p in answers(denied={"ec2:DeleteNetworkAcl"}) if p.answer == "missing"]
    assert (missing.part, missing.action, missing.said) == (
        "rollback",
        "ec2:DeleteNetworkAcl",
        "allowed by no policy",
    )
    (one,) = [p for p in answers(denied={SUBNETS[7]}) if p.answer == "missing"]
    assert (one.action, one.resource) == ("ec2:ReplaceNetworkAclAssociation", SUBNETS[7])


def test_what_hangs_on_a_condition_that_nobody_can_know_is_unknown_and_no_pass() -> None:
    found = answers(missing={"ec2:DeleteNetworkAcl": ["aws:SourceIp"]})
    (unknown,) = [p for p in found if p.answer != "allowed"]
    assert unknown.answer == "unknown"
    assert unknown.said == "the policies ask for aws:SourceIp, which only a real call has"
