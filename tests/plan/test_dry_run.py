"""EC2's own rehearsal."""

from __future__ import annotations

import asyncio

import pytest
from asked_accounts import AskedAccount

from chaos.levers.powers import Call, Target
from chaos.plan.dry_run import rehearsed
from chaos.plan.simulation import Permission
from chaos.safety import Planned


def planned(instance: str, region: str = "us-east-1") -> Planned:
    return Planned(
        fault=0,
        lever={"kind": "instance_termination", "region": region, "instance": instance},
        prior=False,
        value=True,
        irreversible=True,
        targets=(Target(type="ec2:instance", id=instance, region=region),),
        calls=(
            Call(service="ec2", region=region, operation="terminate_instances", to=instance),
            Call(service="ec2", region=region, operation="create_network_acl", to="unknown"),
        ),
    )


def answers(code: str, *instances: str) -> tuple[list[Permission], AskedAccount]:
    account = AskedAccount(refuses={"terminate_instances": code})
    pulls = [planned(instance) for instance in instances]
    return asyncio.run(rehearsed(account, pulls)), account


@pytest.mark.parametrize(
    ("code", "answer", "said"),
    [
        ("DryRunOperation", "allowed", "dry run"),
        ("UnauthorizedOperation", "missing", "EC2 refuses it in a dry run"),
        ("OperationNotPermitted", "unknown", "EC2's dry run says OperationNotPermitted"),
        ("InternalFailure", "unknown", "EC2's dry run says InternalFailure"),
    ],
)
def test_what_the_codes_mean(code: str, answer: str, said: str) -> None:
    (found,), account = answers(code, "i-1")
    assert (found.action, found.resource) == ("ec2:TerminateInstances", "i-1")
    assert (found.answer, found.said) == (answer, said)
    assert account.calls == [("terminate_instances", {"DryRun": True, "InstanceIds": ["i-1"]})]


def test_one_stands_for_all_of_a_region() -> None:
    found, account = answers("DryRunOperation", "i-1", "i-2")
    assert len(found) == len(account.calls) == 1
    account = AskedAccount(refuses={"terminate_instances": "DryRunOperation"})
    pulls = [planned("i-1"), planned("i-2", "us-west-2")]
    assert len(asyncio.run(rehearsed(account, pulls))) == 2


def test_what_names_nobody_is_not_rehearsed() -> None:
    found, account = answers("DryRunOperation")
    assert (found, account.calls) == ([], [])
