"""The policy that is printed is enough for a whole drill, and no action of it can be left out.

moto enforces policies by their actions alone: conditions and resources are taken off here, since
it would compare every resource with `*`. Those are AWS's to enforce.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from calls import called
from moto_account import moto_account

from chaos.environments.calls import AwsCalls

REGION, ZONE = "us-east-1", "us-east-1a"
ROOT = ("test", "test")
WITHIN_S = 120.0  # of the wall, for a whole drill
EXPERIMENT = """
name: cut
title: a region goes dark, and comes back
accounts: {main: {id: "123456789012", regions: [us-east-1]}}
safety: {at_most: {percent: 100%}, at_most_in_a_run: {percent: 100%}}
steady_state: {for: 1s, within: 30s}
probes:
  vpcs: {kind: aws, service: ec2, region: us-east-1, operation: describe_vpcs, confirm: 1}
faults:
  - kind: region_outage
    region: us-east-1
    subnets: {tags: {chaos: allowed}}
    launches: {tags: {chaos: allowed}}
    lasts: 2s
objectives: {vpcs: {availability: 1%}}
recover_within: 10s
"""
# Actions whose lack shows: of injecting, and of putting back; and how the run ends then.
LACKING = [
    ("ec2:CreateNetworkAcl", 3),
    ("autoscaling:SuspendProcesses", 3),
    ("ec2:DeleteNetworkAcl", 4),
    ("ec2:DescribeNetworkAcls", 2),
]


@dataclass
class Account:
    """A moto that enforces policies, and what of it a drill may change."""

    endpoint: str
    root: AwsCalls

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        return self.root.call_now(service, REGION, operation, **params)

    def user(self, policy: dict[str, Any]) -> dict[str, str]:
        """The keys of a user with that policy, in force from now on."""
        self.call("iam", "create_user", UserName="drill")
        self.call(
            "iam",
            "put_user_policy",
            UserName="drill",
            PolicyName="printed",
            PolicyDocument=json.dumps(policy),
        )
        key = self.call("iam", "create_access_key", UserName="drill")["AccessKey"]
        self.enforce(0)
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def enforce(self, after: int) -> None:
        """Whether policies count: from how many more requests on."""
        url = f"{self.endpoint}/moto-api/reset-auth"
        plain = {"Content-Type": "text/plain"}  # a form would be taken apart
        request = urllib.request.Request(url, str(after).encode(), plain)  # noqa: S310
        urllib.request.urlopen(request).close()  # noqa: S310

    def seeded(self) -> None:
        tags = [{"Key": "chaos", "Value": "allowed"}]
        vpc = self.call("ec2", "create_vpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        made = self.call(
            "ec2",
            "create_subnet",
            VpcId=vpc,
            CidrBlock="10.9.0.0/24",
            AvailabilityZone=ZONE,
            TagSpecifications=[{"ResourceType": "subnet", "Tags": tags}],
        )
        self.call(
            "autoscaling",
            "create_launch_configuration",
            LaunchConfigurationName="web",
            ImageId="ami-12c6146b",
            InstanceType="t3.micro",
        )
        self.call(
            "autoscaling",
            "create_auto_scaling_group",
            AutoScalingGroupName="web",
            LaunchConfigurationName="web",
            MinSize=0,
            MaxSize=1,
            VPCZoneIdentifier=made["Subnet"]["SubnetId"],
            Tags=[{**tags[0], "PropagateAtLaunch": False}],
        )

    def state(self) -> list[Any]:
        """All that the drill moves."""
        acls = self.call("ec2", "describe_network_acls")["NetworkAcls"]
        groups = self.call("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
        return [
            sorted((a["NetworkAclId"], len(a["Associations"])) for a in acls),
            [group["SuspendedProcesses"] for group in groups],
        ]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with moto_account() as endpoint:
        root = AwsCalls(endpoint, key=ROOT, timeout_s=30)
        found = Account(endpoint, root)
        found.seeded()
        yield found
        root.close()


def printed(file: Path, *lacking: str) -> dict[str, Any]:
    """The policy, as moto can enforce it."""
    policy: dict[str, Any] = json.loads(called("iam-policy", str(file)).stdout)
    for statement in policy["Statement"]:
        statement.pop("Condition", None)
        statement["Resource"] = "*"
        statement["Action"] = [a for a in statement["Action"] if a not in lacking]
    policy["Statement"] = [s for s in policy["Statement"] if s["Action"]]
    return policy


def drill(file: Path, account: Account, keys: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "chaos", "run", str(file), "--environment", "aws"),
            *("--endpoint", account.endpoint, "--undo-log", "none", "--yes", "--plain"),
        ],
        env={**os.environ, **keys, "CHAOS_STALE_SECONDS": "0"},
        cwd=file.parent,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cut.yaml"
    path.write_text(EXPERIMENT)
    return path


def test_what_is_printed_is_enough_for_a_whole_drill(account: Account, file: Path) -> None:
    before = account.state()
    done = drill(file, account, account.user(printed(file)))
    # What an emulator of a control plane cuts nobody notices, so there is no verdict to have.
    assert done.returncode == 3, done.stdout + done.stderr
    assert re.search(r"put back +3 of 3", done.stdout)
    assert "is not AWS" in done.stdout
    account.enforce(10_000)
    assert account.state() == before


@pytest.mark.parametrize(("action", "code"), LACKING)
def test_without_one_action_it_fails(action: str, code: int, account: Account, file: Path) -> None:
    whole = {a for s in printed(file)["Statement"] for a in s["Action"]}
    assert action in whole
    before = account.state()
    done = drill(file, account, account.user(printed(file, action)))
    assert done.returncode == code, done.stdout + done.stderr
    assert "nothing noticed the fault" not in done.stdout
    assert re.search("UnauthorizedOperation|AccessDenied", done.stdout + done.stderr)
    account.enforce(10_000)
    assert (account.state() == before) == (code != 4)
