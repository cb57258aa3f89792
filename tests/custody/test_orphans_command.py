"""`chaos rollback --orphans` and `chaos unlock` as their users call them, from another machine.

A drill in the account is killed; all that the other machine has are credentials.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from custody_stores import URLS
from moto_account import ACCOUNT, KEYS, REGION

from chaos.custody import lease
from chaos.custody.opening import open_store
from chaos.custody.store import Calls

EXPERIMENT = f"""
name: dark
steady_state: {{for: 1s, within: 20s}}
accounts: {{main: {{id: "{ACCOUNT}", regions: [{REGION}]}}}}
probes:
  vpcs:
    {{kind: aws, service: ec2, operation: describe_vpcs, region: {REGION}, every: 500ms}}
faults:
  - {{kind: region_outage, region: {REGION}, subnets: {{tags: {{chaos: "yes"}}}}, lasts: 300s}}
objectives: {{vpcs: {{heals_within: 20s}}}}
"""
PATIENCE_S = 90.0


class Machine:
    """A machine: a home of its own, and credentials. Nothing of it is shared with another."""

    def __init__(self, home: Path, endpoint: str) -> None:
        home.mkdir()
        self.home, self.endpoint = home, endpoint
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "CHAOS_STALE_SECONDS": "0"}

    def start(self, *args: str) -> subprocess.Popen[str]:
        """A command, whose output goes into one file."""
        with (self.home / "output").open("w") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "chaos", *args, "--endpoint", self.endpoint],
                cwd=self.home,
                env={**self.env, **KEYS},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def says(self, *args: str) -> tuple[int, str]:
        """How a command ended, and what it printed."""
        code = self.start(*args).wait(PATIENCE_S)
        return code, self.output

    @property
    def output(self) -> str:
        return (self.home / "output").read_text()

    def until(self, text: str, command: subprocess.Popen[str]) -> None:
        """Return when the command has printed that."""
        give_up = time.monotonic() + PATIENCE_S
        while text not in self.output:
            assert command.poll() is None, self.output
            assert time.monotonic() < give_up, self.output
            time.sleep(0.05)


async def acls(call: Calls) -> set[tuple[str, str]]:
    """Which ACL each subnet has."""
    answer = await call("ec2", REGION, "describe_network_acls")
    pairs = [pair for acl in answer["NetworkAcls"] for pair in acl["Associations"]]
    return {(pair["SubnetId"], pair["NetworkAclId"]) for pair in pairs}


async def mark_a_subnet(call: Calls) -> None:
    subnets = (await call("ec2", REGION, "describe_subnets"))["Subnets"]
    tag = [{"Key": "chaos", "Value": "yes"}]
    await call("ec2", REGION, "create_tags", Resources=[subnets[0]["SubnetId"]], Tags=tag)


@pytest.fixture
def killed(account: str, call: Calls, tmp_path: Path) -> Iterator[tuple[Machine, str, str]]:
    """The machine of a drill that was killed with a subnet cut off, its undo log, its run."""
    asyncio.run(mark_a_subnet(call))
    machine, url = Machine(tmp_path / "runner", account), URLS["s3"]
    (machine.home / "dark.yaml").write_text(EXPERIMENT)
    before = asyncio.run(acls(call))
    known = asyncio.run(open_store(url, call).keys(""))  # other tests use the same store
    drill = machine.start(
        "run", "dark.yaml", "--environment", "aws", "--undo-log", url, "--yes", "--plain"
    )
    try:
        machine.until("injected", drill)
        assert asyncio.run(acls(call)) != before
    finally:
        drill.send_signal(signal.SIGKILL)
        drill.wait(PATIENCE_S)
    [run] = [path.name for path in (machine.home / "chaos-runs").iterdir()]
    yield machine, url, run
    assert asyncio.run(acls(call)) == before
    left = asyncio.run(open_store(url, call).keys(""))
    assert set(left) - set(known) <= {f"locks/{ACCOUNT}"}


async def expire(call: Calls, url: str, run: str) -> None:
    """Let time pass: the lease ran out an hour ago."""
    store = open_store(url, call)
    document = await store.get(lease.key_of(run))
    assert document is not None
    held = lease.read(document)
    text = replace(held, until=held.until - timedelta(hours=1)).text()
    assert await store.write(lease.key_of(run), text, document.version)


def test_from_another_machine(
    killed: tuple[Machine, str, str], account: str, call: Calls, tmp_path: Path
) -> None:
    _, url, run = killed
    other = Machine(tmp_path / "other", account)
    orphans = ("rollback", "--orphans", "--undo-log", url)

    code, said = other.says(*orphans)  # its lease is alive: left alone, and nobody is asked
    assert code == 4
    assert "1 of them still at work: left alone" in said
    assert run in said
    asyncio.run(expire(call, url, run))

    code, said = other.says(*orphans)
    assert code == 2
    assert "add --yes" in said

    code, said = other.says("unlock", ACCOUNT, "--undo-log", url)
    assert code == 2
    assert f"is locked by the run {run}" in said
    assert "1 lever open; to put back: chaos rollback --orphans" in said
    assert "add --yes" in said

    code, said = other.says(*orphans, "--yes", "--json")
    told: dict[str, Any] = json.loads(said[said.index("{\n") :])  # what is told is before it
    assert code == 0
    [found] = told["runs"]
    assert (found["run"], found["experiment"], found["alive"]) == (run, "dark", False)
    assert found["levers"][0]["found"] == found["levers"][0]["pull"]["value"]
    assert [pull["outcome"] for pull in found["pulls"]] == ["restored"]

    assert other.says(*orphans)[0] == 0
    assert "is not locked" in other.says("unlock", ACCOUNT, "--undo-log", url)[1]
    code = subprocess.run(
        [sys.executable, "-m", "chaos", "report", run],
        cwd=other.home,
        env=other.env,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    ).returncode
    assert code == 3  # what was put back is no proof of the promise


def test_on_the_same_machine_at_once(killed: tuple[Machine, str, str]) -> None:
    machine, url, run = killed
    header = json.loads(
        (machine.home / f"chaos-runs/{run}/journal.jsonl").read_text().splitlines()[0]
    )
    assert header["undo_log"] == url
    assert header["dead_man_s"] is None  # nobody watched
    done = subprocess.run(
        [sys.executable, "-m", "chaos", "rollback", "latest"],
        cwd=machine.home,
        env={**machine.env, **KEYS},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is left open" in done.stdout


def test_a_warden_puts_it_back_by_itself(
    killed: tuple[Machine, str, str], account: str, call: Calls, tmp_path: Path
) -> None:
    _, url, run = killed
    other = Machine(tmp_path / "warden", account)
    warden = other.start("rollback", "--orphans", "--watch", "--every", "1s", "--undo-log", url)
    try:
        other.until("watching", warden)
        asyncio.run(expire(call, url, run))
        other.until(": put back", warden)
    finally:
        with contextlib.suppress(ProcessLookupError):
            warden.send_signal(signal.SIGTERM)
    assert warden.wait(PATIENCE_S) == 0
    assert "no longer watching" in other.output
