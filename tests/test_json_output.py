"""`--json`: one document on stdout, for scripts, and nothing else there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from calls import called, document, printed
from reference_pages import every_command

from chaos import experiment, plan, safety
from chaos.cli import say
from chaos.errors import InvalidInput
from chaos.journal import Journal
from chaos.loops import run_virtual
from chaos.runs import Runs
from chaos.testing import FakeEnvironment, small_lab

GOOD = """
name: small
title: it is small
probes: {api: {kind: http, url: "http://api.stream.example/playback"}}
faults:
  - {kind: region_outage, region: us-east-1, lasts: 60s}
objectives: {api: {heals_within: 10s}}
"""
# They answer with people's text, or with a document that is JSON already; the output of `exec` is
# its command's, so that its summary is a file.
WITHOUT = {
    "chaos exec",
    "chaos mark",
    "chaos completion",
    "chaos iam-policy",
    "chaos schema",
    "chaos lab",
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "command"), [(path, command) for path, command, _ in every_command()]
)
def test_every_command_that_a_script_may_read_has_it(path: str, command: click.Command) -> None:
    options = {name for parameter in command.params for name in parameter.opts}
    assert ("--json" in options) == (path not in WITHOUT)


def test_a_file_that_is_valid(here: Path) -> None:
    (here / "small.yaml").write_text(GOOD)
    told = document("validate", "small.yaml")
    assert told == {"valid": True, "files": ["small.yaml"], "problems": []}


def test_problems_have_their_places(here: Path) -> None:
    (here / "one.yaml").write_text(GOOD.replace("lasts", "'a: b'"))
    (here / "two.yaml").write_text(GOOD)
    done = called("validate", "one.yaml", "two.yaml", "three.yaml", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (InvalidInput.exit_code, "")
    assert told["valid"] is False
    assert told["files"] == ["one.yaml", "two.yaml", "three.yaml"]
    strange, nowhere = told["problems"]
    assert strange.pop("what").startswith("is not known here; known are kind, account, at")
    assert strange == {"file": "one.yaml", "line": 6, "col": 46, "where": "faults[0].'a: b'"}
    assert {**nowhere, "what": ""} == {
        "file": "three.yaml",
        "line": None,
        "col": None,
        "where": "",
        "what": "",
    }
    assert nowhere["what"].startswith("there is no such experiment; looked for three.yaml")


def test_a_value_for_a_variable_that_is_not_there(here: Path) -> None:
    (here / "small.yaml").write_text(GOOD)
    (problem,) = json.loads(called("validate", "small.yaml", "--var", "zone=b", "--json").stdout)[
        "problems"
    ]
    assert problem["line"] is None
    assert "'zone'" in problem["what"]


PULL = {
    "pull": 0,
    "fault": 0,
    "lever": {"kind": "reachability", "scope": "us-east-1"},
    "prior": "open",
    "value": "drop",
    "irreversible": False,
}
HEADER = {
    "v": 1,
    "run": "r",
    "wall": "2026-11-21T10:00:00.000+00:00",
    "tool": "0",
    "speed": 1.0,
    "environment": {"kind": "embedded"},
    "fidelity": ["lab"],
    "experiment": {
        "name": "r",
        "title": "",
        "probes": {},
        "faults": [{"kind": "region_outage"}],
        "objectives": {},
        "recover_within": 60.0,
    },
}


def left_open(monkeypatch: pytest.MonkeyPatch, now: str) -> None:
    """A run that was killed with one lever pulled, and how that lever reads now."""
    journal = Journal.create(Runs(Path("chaos-runs")).journal("r"), lambda: 0.0)
    journal.write("run", **HEADER)
    journal.write("pull", **PULL)
    journal.write("pulled", pull=0, read="drop")
    journal.close()
    lab = FakeEnvironment({**small_lab(), "reachability": {"us-east-1": now}})

    async def found(_: dict[str, Any], **__: Any) -> FakeEnvironment:
        return lab

    monkeypatch.setattr("chaos.rollback.attach", found)


def test_what_was_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    left_open(monkeypatch, "drop")
    told = document("rollback", "r")
    assert told["journal"] == "chaos-runs/r/journal.jsonl"
    assert told["left"] == []
    (pull,) = told["pulls"]
    assert PULL.items() <= pull.items()
    assert (pull["outcome"], pull["found"]) == ("restored", "open")
    assert document("rollback", "r") == {**told, "pulls": []}


def test_what_could_not_be_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    left_open(monkeypatch, "refuse")
    done = called("rollback", "r", "--json")
    assert done.exit_code == 4
    told = json.loads(done.stdout)
    assert told["left"] == [0]
    assert (told["pulls"][0]["outcome"], told["pulls"][0]["found"]) == ("conflict", "refuse")
    words = called("rollback", "r")
    assert words.exit_code == 4
    assert "1 not put back; mend the cause, then: chaos rollback chaos-runs/r" in words.stdout


def test_a_report_is_its_verdict() -> None:
    journal = Journal.create(Runs(Path("chaos-runs")).journal("r"), lambda: 0.0)
    journal.write("run", **HEADER)
    journal.close()
    done = called("report", "r", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["exit_code"], told["value"]) == (3, 3, "unknown")
    assert told == json.loads(journal.path.with_name("verdict.json").read_text())


class Planned:
    """A drill whose plan is known, and that stands nothing up."""

    def __init__(self, path: Path, *, environment: str = "embedded", **_: Any) -> None:
        self.experiment = experiment.load(path).on(environment)
        self.where = {"kind": environment, "endpoint": "http://127.0.0.1:4566", "version": "9.1"}
        if environment == "embedded":
            self.where = {"kind": environment}

    def plan(self) -> plan.Plan:
        lab = FakeEnvironment(small_lab())
        return run_virtual(plan.draw_up(self.experiment, lab, safety.Policy()))


def test_a_plan(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.drill.Drill", Planned)
    (here / "small.yaml").write_text(GOOD.replace("us-east-1", "us-west-2"))
    told = document("plan", "small.yaml")
    assert (told["name"], told["environment"], told["observed_for"]) == ("small", "embedded", 60.0)
    (fault,) = told["faults"]
    assert (fault["kind"], fault["fidelity"], fault["drawn"]) == ("region_outage", "lab", False)
    assert [pull["lever"]["kind"] for pull in fault["pulls"]] == [
        "replication",
        "api_rule",
        "reachability",
    ]
    assert fault["pulls"][0]["prior"] == "on"


def test_a_plan_names_the_environment_and_what_stands_in(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.drill.Drill", Planned)
    (here / "small.yaml").write_text(
        GOOD.replace("us-east-1", "us-west-2")
        + "environments: {localstack: {stand_ins: {dynamodb: a ledger over S3}}}\n"
    )
    told = document("plan", "small.yaml", "--environment", "localstack")
    assert (told["environment"], told["endpoint"]) == ("localstack", "http://127.0.0.1:4566")
    assert (told["environment_version"], told["stand_ins"]) == (
        "9.1",
        {"dynamodb": "a ledger over S3"},
    )
    lines = printed("plan", "small.yaml", "--environment", "localstack").splitlines()
    assert lines[1:3] == [
        "environment: localstack, on LocalStack 9.1 at http://127.0.0.1:4566",
        "  Stood in for dynamodb: a ledger over S3",
    ]
    told = document("plan", "small.yaml")
    assert (told["endpoint"], told["environment_version"], told["stand_ins"]) == (None, None, {})
    assert "Stood in" not in printed("plan", "small.yaml")


def test_a_plan_in_words(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.drill.Drill", Planned)
    text = GOOD.replace(
        "region_outage, region: us-east-1, lasts: 60s", "instance_termination, region: us-east-1"
    )
    text = (
        text.replace("heals_within: 10s", "rto: 60s")
        + "allow_irreversible: [instance_termination]\n"
    )
    (here / "small.yaml").write_text(text)
    told = printed("plan", "small.yaml").splitlines()
    assert told[:5] == [
        "it is small",
        "environment: embedded",
        "",
        "at 0s, for good: instance_termination us-east-1 (lab)",
        "  (drawn at random; the run draws anew, from what there is then)",
    ]
    assert told[5].endswith(": false → true  (cannot be put back)")
    assert told[-1] == "observed for 65s after the first injection; nothing was touched"
    narrow = printed("plan", "small.yaml", COLUMNS="40").splitlines()
    assert max(map(len, narrow)) <= 40
    (here / "small.yaml").write_text(text.replace("us-east-1", "us-east-1, pick: all"))
    assert "at random" not in printed("plan", "small.yaml")


def test_what_the_environment_has_against_a_plan_is_told_with_its_place(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.drill.Drill", Planned)
    (here / "small.yaml").write_text(GOOD.replace("us-east-1", "us-mars-1"))
    done = called("plan", "small.yaml", "--json")
    assert isinstance(done.exception, InvalidInput)
    assert str(done.exception) == (
        "small.yaml:6:5: faults[0]: region_outage: no region 'us-mars-1' here;"
        " there is us-east-1, us-west-2"
    )
    assert done.stdout == ""


def test_a_path_is_text_and_what_json_lacks_is_a_defect(capsys: pytest.CaptureFixture[str]) -> None:
    say.say_json({"path": Path("é")})
    assert capsys.readouterr().out == '{\n  "path": "\\u00e9"\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        say.say_json(float("inf"))
