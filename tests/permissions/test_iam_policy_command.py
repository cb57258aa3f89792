"""`chaos iam-policy`: from the file alone, without an account and without credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from calls import called, printed
from iam_grammar import check_policy

from chaos.errors import InvalidInput

TERMINATION = """
name: kill
probes:
  api: {kind: http, url: "http://api.example/"}
  ledger: {kind: dynamodb_ledger, table: history, write_to: REGION, read_from: REGION}
faults:
  - {kind: instance_termination, region: REGION, ids: [i-1], pick: all}
allow_irreversible: [instance_termination]
objectives: {api: {rto: 60s}}
"""
ACCOUNTS = """
accounts:
  one: {id: "111111111111", regions: [REGION]ROLE}
"""
ROLE = ', role: "arn:PARTITION:iam::111111111111:role/team/chaos"'


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty directory, and no credentials to be found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def write(text: str, region: str = "us-east-1", partition: str = "aws", role: str = "") -> str:
    text = text.replace("ROLE", role).replace("REGION", region)
    Path("drill.yaml").write_text(text.replace("PARTITION", partition))
    return "drill.yaml"


def policy(*options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed("iam-policy", "drill.yaml", *options))
    check_policy(found)
    return found


def actions(found: dict[str, Any]) -> set[str]:
    return {action for statement in found["Statement"] for action in statement["Action"]}


def arns(found: dict[str, Any]) -> set[str]:
    return {arn for statement in found["Statement"] for arn in statement["Resource"]} - {"*"}


def test_all_parts_of_an_experiment_that_names_no_account() -> None:
    write(TERMINATION)
    found = policy()
    assert {sid.rstrip("0123456789") for sid in (s["Sid"] for s in found["Statement"])} == {
        "ChaosLook",
        "ChaosInject",
        "ChaosProbe",
        "ChaosBase",
    }
    assert {"ec2:TerminateInstances", "ec2:DescribeInstances"} <= actions(found)
    assert {"dynamodb:PutItem", "dynamodb:Query", "iam:ListAccountAliases"} <= actions(found)
    assert "arn:aws:dynamodb:us-east-1:*:table/history" in arns(found)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")],
)
def test_arns_are_of_the_account_and_its_partition(region: str, partition: str) -> None:
    write(TERMINATION + ACCOUNTS, region, partition)
    found = arns(policy())
    assert f"arn:{partition}:dynamodb:{region}:111111111111:table/history" in found
    assert all(arn.startswith(f"arn:{partition}:") for arn in found)


def test_only_one_part() -> None:
    write(TERMINATION)
    assert actions(policy("--only", "probe")) == {"dynamodb:PutItem", "dynamodb:Query"}
    nothing = called("iam-policy", "drill.yaml", "--only", "rollback")
    assert str(nothing.exception) == "nothing needs to be allowed for rollback"


def test_a_role_that_is_assumed_has_no_part_in_the_undo_log() -> None:
    write(TERMINATION + ACCOUNTS, role=ROLE)
    log = ("--undo-log", "s3://drills/undo")
    assert "s3:PutObject" not in actions(policy(*log))
    assert "iam:SimulatePrincipalPolicy" in actions(policy())
    base = policy("--only", "base", *log)
    assert {"sts:AssumeRole", "s3:PutObject"} <= actions(base)
    assert "arn:aws:iam::111111111111:role/team/chaos" in arns(base)


def test_without_a_role_the_undo_log_is_part_of_it() -> None:
    write(TERMINATION + ACCOUNTS)
    assert "s3:PutObject" in actions(policy("--undo-log", "s3://drills/undo"))
    assert "sts:AssumeRole" not in actions(policy())


def test_of_several_accounts_one_has_to_be_named() -> None:
    two = 'two: {id: "222222222222", regions: [REGION]}\n'
    text = TERMINATION.replace("REGION}", "REGION, account: two}").replace(
        "pick: all}", "pick: all, account: one}"
    )
    write(text + ACCOUNTS + "  " + two)
    done = called("iam-policy", "drill.yaml")
    assert str(done.exception) == "say which, with --account: one or two"
    assert "ec2:TerminateInstances" in actions(policy("--account", "one"))
    assert "dynamodb:PutItem" not in actions(policy("--account", "one"))
    assert "dynamodb:PutItem" in actions(policy("--account", "two"))
    assert "ec2:TerminateInstances" not in actions(policy("--account", "two"))
    assert isinstance(called("iam-policy", "drill.yaml", "--account", "x").exception, InvalidInput)


def test_as_terraform_and_as_cloudformation() -> None:
    write(TERMINATION)
    hcl2.loads(printed("iam-policy", "drill.yaml", "--terraform"))
    template = yaml.safe_load(printed("iam-policy", "drill.yaml", "--cloudformation"))
    (made,) = template["Resources"].values()
    assert made["Properties"]["PolicyDocument"] == policy()


def test_what_is_too_long_is_told_and_split() -> None:
    ledger = "ledger: {kind: dynamodb_ledger, table: history, write_to: REGION, read_from: REGION}"
    many = "\n  ".join(
        ledger.replace("ledger:", f"ledger{n}:").replace(
            "history", f"history-of-all-that-was-ever-watched-{n}"
        )
        for n in range(90)
    )
    write(TERMINATION.replace(ledger, many))
    done = called("iam-policy", "drill.yaml")
    check_policy(json.loads(done.stdout))
    assert "a managed policy holds 6,144: --terraform and --cloudformation make 2 of" in done.stderr
    text = printed("iam-policy", "drill.yaml", "--terraform")
    assert 'resource "aws_iam_policy" "chaos_kill_2"' in text


def test_a_probe_of_what_boto3_does_not_know_is_refused() -> None:
    write(
        TERMINATION.replace(
            "kind: dynamodb_ledger, table: history, write_to: REGION, read_from: REGION",
            "kind: aws, service: ec2, operation: describe_dreams, region: REGION",
        )
    )
    done = called("iam-policy", "drill.yaml")
    assert str(done.exception).endswith(
        "probes.ledger: boto3 knows no operation describe_dreams of ec2"
    )


def test_a_fault_that_does_nothing_on_aws_is_refused() -> None:
    write(
        TERMINATION.replace("ids: [i-1], pick: all", "lasts: 60s, service: s3")
        .replace("instance_termination, ", "dependency_outage, ")
        .replace("allow_irreversible: [instance_termination]", "")
        .replace("rto", "heals_within")
    )
    done = called("iam-policy", "drill.yaml")
    assert "dependency_outage has no effect in the environment 'aws'" in str(done.exception)
