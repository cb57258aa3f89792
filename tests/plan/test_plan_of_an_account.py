"""`chaos plan --environment aws`, as its user calls it, in an account that moto stands in for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from calls import called
from moto_account import KEYS, moto_account

from chaos.environments.calls import AwsCalls

EXPERIMENT = """
name: dark
accounts: {main: {id: "123456789012", regions: [us-east-1]}}
safety: {at_most: {percent: 100%, count: 100}, at_most_in_a_run: {percent: 100%, count: 100}}
probes:
  vpcs: {kind: aws, service: ec2, region: us-east-1, operation: describe_vpcs}
faults:
  - kind: region_outage
    region: us-east-1
    subnets: {tags: {chaos: allowed}}
    lasts: 60s
objectives: {vpcs: {availability: 1%}}
"""
SUBNETS = 12


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsCalls]:
    """With so many subnets that may be cut; the experiment is in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "dark.yaml").write_text(EXPERIMENT)
    with moto_account() as endpoint:
        calls = AwsCalls(endpoint, key=("test", "test"), timeout_s=30)
        vpc = calls.call_now("ec2", "us-east-1", "create_vpc", CidrBlock="10.9.0.0/16")["Vpc"]
        tags = [{"ResourceType": "subnet", "Tags": [{"Key": "chaos", "Value": "allowed"}]}]
        for n in range(SUBNETS):
            calls.call_now(
                "ec2",
                "us-east-1",
                "create_subnet",
                VpcId=vpc["VpcId"],
                CidrBlock=f"10.9.{n}.0/24",
                TagSpecifications=tags,
            )
        yield calls
        calls.close()


def plan(calls: AwsCalls, *options: str) -> tuple[int, str]:
    where = calls.endpoint("ec2", "us-east-1")
    done = called("plan", "dark.yaml", "--environment", "aws", "--endpoint", where, *options)
    assert done.stderr == ""
    return done.exit_code, done.stdout


def acls(calls: AwsCalls) -> object:
    return calls.call_now("ec2", "us-east-1", "describe_network_acls")["NetworkAcls"]


def test_everything_is_told_and_nothing_is_touched(account: AwsCalls) -> None:
    before = acls(account)
    code, told = plan(account)
    assert code == 0, told
    assert acls(account) == before
    assert f"touches   {SUBNETS} of " in told
    assert f"ec2 create_network_acl ×{SUBNETS}  " in told
    assert f"ec2 delete_network_acl ×{SUBNETS}" in told
    assert "? not checked  what answers here simulates no policies" in told
    assert told.splitlines()[-1].startswith("nothing was touched")


def test_the_undo_log_of_the_run_is_looked_at_too(account: AwsCalls) -> None:
    code, told = plan(account, "--undo-log", "s3://drills/undo")
    assert code == 2
    assert "✗ the undo log cannot be used: s3 get_public_access_block" in told
    private = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    account.call_now("s3", "us-east-1", "create_bucket", Bucket="drills")
    account.call_now(
        "s3",
        "us-east-1",
        "put_public_access_block",
        Bucket="drills",
        PublicAccessBlockConfiguration=dict.fromkeys(private, True),
    )
    code, told = plan(account, "--undo-log", "s3://drills/undo")
    assert (code, told.splitlines()[-1]) == (0, "nothing was touched")
    found = account.call_now("s3", "us-east-1", "list_objects_v2", Bucket="drills")
    assert found["KeyCount"] == 0


def test_a_refusal_is_told_after_everything_else_and_the_exit_code_is_2(account: AwsCalls) -> None:
    strict = EXPERIMENT.replace("count: 100", "count: 5")
    Path("dark.yaml").write_text(strict)
    code, told = plan(account, "--json")
    assert code == 2
    document = json.loads(told)
    assert document["refused"] is True
    assert len(document["faults"][0]["pulls"]) == SUBNETS
    refused = {guard["name"] for guard in document["guards"] if not guard["ok"]}
    assert refused == {"limit of a fault", "limit of a run"}
