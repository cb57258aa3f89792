"""LocalStack ends, or hangs, in the middle of a run: what is told, and what can still be done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from localstack_process import LocalStack

OwnLocalStack = Callable[..., AbstractContextManager[LocalStack]]

WITHIN_S = 240  # of the wall
BUCKET, KEY = "viewing-history-us-east-1", "history/kim.json"
LOSS = f"""\
name: loss
lab: streaming-s3
steady_state: {{for: 2s, within: 60s}}
probes:
  playback:
    kind: http
    url: http://us-west-2.api.stream.example/health
    every: 500ms
    timeout: 2s
faults:
  - {{kind: object_loss, region: us-east-1, bucket: {BUCKET}, prefix: {KEY}, lasts: 100s}}
  - {{kind: region_outage, region: us-east-1, lasts: 100s}}
objectives:
  playback: {{heals_within: 50s}}
environments:
  localstack:
    stand_ins: {{autoscaling: the lab's own reconciler}}
"""


class Running:
    """A run of the experiment above, under way on a LocalStack of its own."""

    def __init__(self, directory: Path, localstack: LocalStack) -> None:
        self.directory, self.localstack = directory, localstack
        self._process = self._start(
            "run",
            "loss.yaml",
            *("--environment", "localstack", "--endpoint", localstack.endpoint),
            "--plain",
        )

    def until_broken(self) -> None:
        """Return when both faults are injected."""
        until = time.monotonic() + WITHIN_S
        while self._journal().count('"state":"injected"') < 2:
            assert self._process.poll() is None, self._process.communicate()
            assert time.monotonic() < until, "the faults were not injected in time"
            time.sleep(0.05)

    def ended(self) -> tuple[int, str]:
        """Its exit code, and what it has printed."""
        printed, _ = self._process.communicate(timeout=WITHIN_S)
        return self._process.returncode, printed

    def rollback(self) -> tuple[int, dict[str, Any]]:
        """The exit code of `chaos rollback`, and what it tells."""
        process = self._start("rollback", "latest", "--json")
        printed, _ = process.communicate(timeout=WITHIN_S)
        # What it says on stderr, of what an emulator that hung does not give back, stands before.
        return process.returncode, json.loads(printed[printed.index("{") :])

    def end(self) -> None:
        """Whatever becomes of the test, the run does not outlive it."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.communicate(timeout=WITHIN_S)

    def _journal(self) -> str:
        found = [*self.directory.glob("chaos-runs/*/journal.jsonl")]
        return found[0].read_text() if found else ""

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.Popen(
            [sys.executable, "-m", "chaos", *arguments],
            cwd=self.directory,
            env=kept | {"XDG_STATE_HOME": str(self.directory / "state")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@contextmanager
def a_run(directory: Path, localstack: LocalStack) -> Iterator[Running]:
    """One that has lost its object, and its region, by now."""
    (directory / "loss.yaml").write_text(LOSS)
    running = Running(directory, localstack)
    try:
        running.until_broken()
        yield running
    finally:
        running.end()


def s3(localstack: LocalStack) -> Any:
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    return session.client("s3", endpoint_url=localstack.endpoint)


def outcomes(told: dict[str, Any]) -> dict[str, str]:
    return {pull["lever"]["kind"]: pull["outcome"] for pull in told["pulls"]}


def test_it_is_killed_and_started_again(tmp_path: Path, own_localstack: OwnLocalStack) -> None:
    with own_localstack() as localstack, a_run(tmp_path, localstack) as running:
        localstack.kill()
        code, printed = running.ended()
        assert code == 4
        assert "UNKNOWN" in printed
        assert "has not answered for 12 s" in printed
        assert "object_deletion us-east-1 viewing-history-us-east-1 history/kim.json" in printed
        assert "gone: the environment ended" in printed

        code, told = running.rollback()
        assert (code, outcomes(told)) == (4, {"object_deletion": "failed"})
        assert "start LocalStack, then try again" in told["pulls"][0]["error"]

        localstack.start_again()
        code, told = running.rollback()
        assert (code, outcomes(told)) == (0, {"object_deletion": "gone"})
        assert running.rollback() == (0, {**told, "pulls": []})


def test_it_hangs_and_goes_on(tmp_path: Path, own_localstack: OwnLocalStack) -> None:
    with own_localstack() as localstack, a_run(tmp_path, localstack) as running:
        os.killpg(localstack.pid, signal.SIGSTOP)
        try:
            code, printed = running.ended()
        finally:
            os.killpg(localstack.pid, signal.SIGCONT)
        assert code == 4
        assert "UNKNOWN" in printed
        assert "NOT PUT BACK" in printed

        listed = s3(localstack).list_objects_v2(Bucket=BUCKET, Prefix=KEY)
        assert listed["KeyCount"] == 0
        code, told = running.rollback()
        assert (code, outcomes(told)) == (0, {"object_deletion": "restored"})
        assert not s3(localstack).list_buckets()["Buckets"], "the lab could not remove its own"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_is_the_run_that_ends(
    tmp_path: Path, own_localstack: OwnLocalStack, number: signal.Signals
) -> None:
    """What the lab has made goes with it, and so what was lost in it."""
    with own_localstack() as localstack, a_run(tmp_path, localstack) as running:
        running._process.send_signal(number)
        running.ended()
        code, _ = running.rollback()
        assert code == 0
        assert not s3(localstack).list_buckets()["Buckets"]
