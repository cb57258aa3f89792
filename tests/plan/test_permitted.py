"""The permissions of a run: what could not be checked is told, and is no pass."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Literal

import pytest
from asked_accounts import ROLE, AskedAccount
from fakes import Look

from chaos.experiment import Experiment
from chaos.faults.fault import Fault, Fidelity
from chaos.levers.powers import Grant, Grants, Target
from chaos.plan.permitted import Checked, arn, permitted
from chaos.safety import Planned

REGION = "us-east-1"
SUBNET = Target(type="ec2:subnet", id="subnet-1", region=REGION)
SWAP = Grant(actions=("ec2:ReplaceNetworkAclAssociation",), resources=("arn:aws:ec2:*:*:subnet/*",))


class Swap(Fault):
    """For these tests."""

    fidelity: ClassVar[dict[str, Fidelity]] = {"aws": "real"}
    kind: Literal["swap"] = "swap"

    def grants(self) -> Grants:
        return Grants(injects=(SWAP,), puts_back=(SWAP,))


def experiment(**account: Any) -> Experiment:
    main = {"id": "123456789012", "regions": [REGION], "role": ROLE, **account}
    other = {"id": "210987654321", "regions": [REGION]}
    return Experiment.model_validate(
        {
            "name": "swap",
            "accounts": {"main": main, "unused": other},
            "probes": {"look": Look(every=1.0, timeout=0.5)},
            "faults": [Swap(lasts=180.0, account="main")],
            "objectives": {"look": {"rto": 60}},
        }
    )


def checked(**account: Any) -> Checked:
    pull = Planned(
        fault=0,
        lever={"kind": "subnet_acl", "region": REGION, "subnet": "subnet-1"},
        account="main",
        prior="acl-1",
        value="no traffic",
        irreversible=False,
        targets=(SUBNET,),
        calls=(),
    )
    (found,) = asyncio.run(permitted(experiment(), AskedAccount(**account), [pull]))
    return found


def test_only_accounts_that_are_touched_are_asked_and_of_what_is_touched() -> None:
    found = checked()
    assert found.account == "main"
    assert found.principal is not None
    assert found.principal.arn == ROLE
    assert found.unknown == ()
    swaps = [p for p in found.permissions if p.action.startswith("ec2:Replace")]
    assert {(p.part, p.resource) for p in swaps} == {
        ("inject", "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-1"),
        ("rollback", "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-1"),
    }


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (
            {"refuses": {"simulate_principal_policy": "AccessDenied"}},
            "iam:SimulatePrincipalPolicy is not allowed",
        ),
        (
            {"refuses": {"simulate_principal_policy": "InternalFailure"}},
            "what answers here simulates no policies",
        ),
        (
            {"identity": "arn:aws:iam::123456789012:root"},
            "IAM does not simulate policies for root",
        ),
        (
            {"refuses": {"get_caller_identity": "ExpiredToken"}},
            "sts get_caller_identity in us-east-1 failed: ExpiredToken: refused by a test",
        ),
    ],
)
def test_what_could_not_be_checked_is_told_and_nothing_is_allowed(
    account: dict[str, Any], why: str
) -> None:
    found = checked(**account)
    assert found.unknown == (why,)
    assert found.those("allowed") == []


def test_a_fault_that_does_not_say_what_it_takes_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Swap, "grants", lambda _: Grants())
    found = checked()
    assert found.unknown == ("faults[0]: swap does not say which permissions it takes",)
    assert found.permissions == ()


def test_no_dry_run_is_asked_of_what_is_not_aws() -> None:
    found = checked(endpoint="http://127.0.0.1:5000")
    assert found.unknown == (
        "no dry runs: what answers here is not AWS, and might do what it is asked",
    )
    assert checked(endpoint="https://ec2.us-east-1.amazonaws.com").unknown == ()


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("ec2:instance", "i-1", "arn:aws-cn:ec2:us-east-1:1:instance/i-1"),
        ("s3:bucket", "films", "arn:aws-cn:s3:::films"),
        ("rds:cluster", "main", "arn:aws-cn:rds:us-east-1:1:cluster:main"),
        ("ecs:task", "arn:aws-cn:ecs:x", "arn:aws-cn:ecs:x"),
        ("nobody:knows", "it", "it"),
    ],
)
def test_targets_have_arns(kind: str, name: str, wanted: str) -> None:
    assert arn(Target(type=kind, id=name, region=REGION), "aws-cn", "1") == wanted
