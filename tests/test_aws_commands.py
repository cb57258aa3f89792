"""`--environment aws` as users type it, moto for the account: plan, run, kill, rollback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto_account import ACCOUNT, KEYS, REGION, moto_account, on_account
from patients import nothing_configured

__all__ = ["nothing_configured"]  # a fixture for all tests here

OTHER = "222222222222"
DEADLINE_S = 120
DRILL = f"""
name: cut-off
accounts:
  here: {{id: "{ACCOUNT}", regions: [us-west-2]}}
  there:
    id: "{OTHER}"
    regions: [{REGION}]
    role: arn:aws:iam::{OTHER}:role/chaos
    external_id: only-we-know-it
steady_state: {{for: 1s, within: 30s}}
probes:
  acl:
    kind: aws
    account: there
    service: ec2
    region: {REGION}
    operation: describe_network_acls
    params: {{Filters: [{{Name: association.subnet-id, Values: ["${{subnet}}"]}}]}}
    expect: {{query: "NetworkAcls[0].IsDefault"}}
    every: 250ms
    timeout: 2s
  west:
    kind: aws
    account: here
    service: ec2
    region: us-west-2
    operation: describe_vpcs
variables: {{subnet: {{}}, lasts: {{type: duration, default: 2s}}}}
faults:
  - kind: region_outage
    account: there
    region: {REGION}
    subnets: {{ids: ["${{subnet}}"]}}
    lasts: ${{lasts}}
objectives:
  acl: {{heals_within: 20s}}
"""


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_account() as url:
        yield url


class Account:
    """The account that is broken, and the command line in a directory of its own."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self.directory = directory
        self.drill = directory / "drill.yaml"
        self.drill.write_text(DRILL)
        self.subnet = next(iter(self.acls()))

    def acls(self) -> dict[str, str]:
        """The ACL of each subnet of the account."""

        async def main() -> Any:
            environment = on_account(self.url)
            try:
                role = {"RoleArn": f"arn:aws:iam::{OTHER}:role/look", "RoleSessionName": "look"}
                given = await environment.call("sts", REGION, "assume_role", **role)
            finally:
                environment.close()
            return given["Credentials"]

        key = asyncio.run(main())
        program = (
            "import boto3, json; a = boto3.client('ec2').describe_network_acls()['NetworkAcls'];"
            "print(json.dumps({s['SubnetId']: n['NetworkAclId'] for n in a"
            " for s in n['Associations']}))"
        )
        env = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": key["SessionToken"],
        }
        command = [sys.executable, "-c", program]
        out = subprocess.run(command, env=env, capture_output=True, check=True)
        found: dict[str, str] = json.loads(out.stdout)
        return found

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "chaos", *args]

    def chaos(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.command(*args),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def on_aws(self, verb: str, *more: str, drill: Path | None = None) -> list[str]:
        where = ["--environment", "aws", "--endpoint", self.url, "--var", f"subnet={self.subnet}"]
        return [verb, str(drill or self.drill), *where, *more]


@pytest.fixture
def account(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_configured: None
) -> Account:
    for name, value in {**KEYS, "CHAOS_STALE_SECONDS": "0"}.items():
        monkeypatch.setenv(name, value)
    return Account(moto, tmp_path)


def changed(account: Account, old: str, new: str) -> Path:
    other = account.directory / "other.yaml"
    assert old in DRILL
    other.write_text(DRILL.replace(old, new))
    return other


def test_a_plan_shows_the_accounts_and_touches_nothing(account: Account) -> None:
    before = account.acls()
    done = account.chaos(*account.on_aws("plan"))
    assert f"here: account {ACCOUNT}, us-west-2" in done.stdout
    assert f"there: account {OTHER}, us-east-1" in done.stdout
    assert account.acls() == before


def test_a_run_cuts_in_the_account_that_is_named_and_puts_it_back(account: Account) -> None:
    before = account.acls()
    done = account.chaos(*account.on_aws("run", "--undo-log", "none", "--yes", "--plain"))
    assert done.returncode in (0, 3), done.stdout + done.stderr
    assert "put back   1 of 1" in done.stdout
    assert "acl  heals within" in done.stdout
    assert account.acls() == before
    journal = next(account.directory.glob("chaos-runs/*/journal.jsonl")).read_text()
    assert f"arn:aws:sts::{OTHER}:assumed-role/chaos/chaos-" in journal
    assert "only-we-know-it" not in journal


def test_after_a_kill_another_process_puts_it_back(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = account.acls()
    args = account.on_aws("run", "--undo-log", "none", "--yes", "--plain", "--var", "lasts=60s")
    with subprocess.Popen(
        account.command(*args), cwd=account.directory, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        for line in run.stdout:
            if "the fault is on" in line:
                run.send_signal(signal.SIGKILL)
                break
        run.wait(DEADLINE_S)
    assert account.acls() != before
    without = account.chaos("rollback", "latest")
    assert (without.returncode, account.acls() != before) == (4, True)
    assert "set CHAOS_EXTERNAL_ID_THERE" in without.stdout + without.stderr
    monkeypatch.setenv("CHAOS_EXTERNAL_ID_THERE", "only-we-know-it")
    done = account.chaos("rollback", "latest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert account.acls() == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            f'here: {{id: "{ACCOUNT}"',
            'here: {id: "333333333333"',
            "names 333333333333;",
        ),
        ("accounts:\n", "accounts:\n  no: {regions: []}\n", "accounts.no.id: is missing"),
    ],
)
def test_what_is_not_as_the_experiment_says_is_refused(
    account: Account, old: str, new: str, said: str
) -> None:
    other = changed(account, old, new)
    for args in (["plan"], ["run", "--undo-log", "none", "--yes"]):
        done = account.chaos(*account.on_aws(*args, drill=other))
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not [*account.directory.glob("chaos-runs/*")]


def test_an_experiment_without_accounts_is_refused(account: Account) -> None:
    text = DRILL[: DRILL.index("accounts:")] + DRILL[DRILL.index("steady_state:") :]
    other = account.directory / "other.yaml"
    other.write_text(text.replace("account: there\n", "\n").replace("account: here\n", "\n"))
    other.write_text("\n".join(li for li in other.read_text().splitlines() if li.strip()))
    done = account.chaos(*account.on_aws("plan", drill=other))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("the experiment names no account, and nothing is done in one")


def test_a_real_account_has_the_clock_of_the_wall(account: Account) -> None:
    done = account.chaos(*account.on_aws("run", "--undo-log", "none", "--yes", "--speed", "5"))
    assert (done.returncode, "leave out --speed" in done.stderr) == (2, True)


def test_what_the_surroundings_name_is_no_endpoint(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHAOS_STALE_SECONDS")
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.url)
    given = ["--environment", "aws", "--var", f"subnet={account.subnet}"]
    done = account.chaos("plan", str(account.drill), *given)
    assert done.returncode == 2
    assert done.stderr.startswith("AWS_ENDPOINT_URL would lead calls away from AWS: unset it")


def test_the_doctor_looks_at_the_account(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    well = account.chaos("doctor", "--environment", "aws", "--endpoint", account.url)
    assert well.returncode == 0
    assert f"account {ACCOUNT} (without an alias) as arn:aws:sts::" in well.stdout
    assert "fis:ListExperimentTemplates is allowed in us-east-1" in well.stdout
    assert "loopback" not in well.stdout
    for name in KEYS:
        monkeypatch.delenv(name)
    ill = account.chaos("doctor", "--environment", "aws", "--endpoint", account.url)
    assert (ill.returncode, "no credentials are found here" in ill.stdout) == (2, True)
    lost = account.chaos("doctor", "--environment", "aws", "--profile", "nope")
    assert (lost.returncode, "(nope) could not be found" in lost.stdout) == (2, True)
