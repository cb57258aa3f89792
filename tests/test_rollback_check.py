"""`chaos rollback --check` tells what is open and what would be done, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chaos.cli import group
from chaos.environments.attach import Gone
from chaos.environments.environment import Environment
from chaos.errors import CallFailed, EnvironmentGone
from chaos.journal import Journal
from chaos.levers import to_json
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.lab import ApiRule, Reachability, Replication
from chaos.rollback import checking
from chaos.testing import FakeEnvironment, small_lab

PULLS: list[tuple[Any, Any, Any]] = [
    (Reachability(scope="us-east-1"), "open", "drop"),
    (ApiRule(id="r"), None, {"action": "hang"}),
    (Replication(region="us-east-1"), "on", "off"),
    (InstanceTermination(region="us-east-1", instance="i-1"), False, True),
]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """That of a run that died with all of these open."""
    path = tmp_path / "r" / "journal.jsonl"
    book = Journal.create(path, lambda: 0.0)
    book.write("run", v=1, run="r", environment={"kind": "embedded"}, experiment={"probes": {}})
    for number, (lever, prior, value) in enumerate(PULLS):
        told = {"lever": to_json(lever), "irreversible": lever.irreversible}
        book.write("pull", pull=number, fault=0, prior=prior, value=value, **told)
    book.close()
    return path


def called(
    journal: Path, monkeypatch: pytest.MonkeyPatch, environment: Environment, *more: str
) -> Result:
    async def attach(*_: object, **__: object) -> Environment:
        return environment

    monkeypatch.setattr("chaos.rollback.attach", attach)
    before = journal.read_bytes()
    done = CliRunner().invoke(group, ["rollback", str(journal), "--check", *more])
    assert journal.read_bytes() == before
    return done


def test_each_open_lever_with_what_it_reads_and_would_be_set_to(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = FakeEnvironment(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"
    lab.state["replication"]["us-east-1"] = "paused"
    lab.state["instances"]["i-1"] = "terminated"
    done = called(journal, monkeypatch, lab)
    assert done.exit_code == 4
    assert done.output == (
        "instance_termination us-east-1 i-1: reads true; nothing brings it back\n"
        "replication us-east-1: CHANGED BY SOMEBODY ELSE: reads paused, was on, the fault made it"
        " off; would be left alone\n"
        "api_rule r: is as before (absent); would be set to it again if that is not certain\n"
        "reachability us-east-1: reads drop, would be set to open\n"
        f"nothing was changed; to put back: chaos rollback {journal}\n"
    )
    assert not [call for call, _ in lab.calls if not call.startswith(("describe_", "get_"))]


def test_what_is_open_as_json(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = called(journal, monkeypatch, FakeEnvironment(small_lab()), "--json")
    told = json.loads(done.output)
    assert (done.exit_code, told["journal"], told["running"]) == (4, str(journal), False)
    assert [each["would"] for each in told["open"]] == ["already"] * 4
    assert told["open"][0]["pull"]["lever"]["kind"] == "instance_termination"


def test_nothing_that_went_with_its_environment_is_open(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = called(journal, monkeypatch, Gone("embedded", EnvironmentGone("it ended")))
    assert done.exit_code == 0
    assert "reachability us-east-1: went with its environment" in done.output


def test_nothing_is_open(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0])
    done = called(journal, monkeypatch, FakeEnvironment(small_lab()))
    assert (done.exit_code, done.output) == (0, "nothing is open\n")


def test_a_lever_that_cannot_be_read_is_told(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Denied(FakeEnvironment):
        async def call(self, *_: Any, **__: Any) -> dict[str, Any]:
            raise CallFailed("lab describe", "AccessDenied", "you may not")

    monkeypatch.setattr("chaos.rollback.restoring.ATTEMPTS", 1)
    done = called(journal, monkeypatch, Denied(small_lab()))
    assert done.exit_code == 4
    denied = "cannot be read: lab describe failed: AccessDenied: you may not"
    assert f"reachability us-east-1: {denied}" in done.output


def test_an_environment_that_does_not_answer_is_told(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(FakeEnvironment):
        async def call(self, *_: Any, **__: Any) -> dict[str, Any]:
            raise TimeoutError

    monkeypatch.setattr(checking, "BUDGET_S", 0.01)
    done = called(journal, monkeypatch, Late(small_lab()))
    assert "reachability us-east-1: cannot be read: no answer from the environment" in done.output


def test_a_run_that_goes_on_is_told_as_such(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Journal.reopen(journal, lambda: 0.0)
    done = called(journal, monkeypatch, FakeEnvironment(small_lab()))
    book.close()
    assert done.output.startswith("the run still goes on; it puts back itself what it has pulled\n")
    assert "chaos rollback" not in done.output
