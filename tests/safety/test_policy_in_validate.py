"""`chaos validate` tells what a policy has against an experiment, without any account."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from chaos.cli.validate import command
from chaos.safety import policy as policies

EXPERIMENT = """\
name: kill
accounts: {main: {id: "123456789012", regions: [us-east-1]}}
probes: {p: {kind: tcp, host: 127.0.0.1, port: 9}}
faults: [{kind: instance_termination, region: us-east-1}]
objectives: {p: {unaffected: true}}
allow_irreversible: [instance_termination]
"""
STRICT = """\
accounts = ["210987654321"]
regions = ["eu-west-1"]
max_duration = "1m"
allow_irreversible = []
require_tags = {chaos = "allowed"}
"""


@pytest.fixture
def drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(policies, "ORGANISATION", tmp_path / "etc" / "chaos.toml")
    monkeypatch.delenv("CHAOS_POLICY", raising=False)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "kill.yaml"
    path.write_text(EXPERIMENT)
    return path


def validate(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(command, [str(argument) for argument in arguments])
    told = str(done.exception) if done.exception else done.output
    told = told.replace(f"{Path.cwd()}/kill.yaml", "kill.yaml")
    return (0 if done.exception is None else 2), told


def test_all_that_is_known_without_an_account(drill: Path) -> None:
    assert validate(drill)[0] == 0
    strict = drill.with_name("strict.toml")
    strict.write_text(STRICT)
    assert validate("--policy", strict, drill) == (
        2,
        (
            f"kill.yaml: accounts: main is account 123456789012, and {strict} allows 210987654321;"
            " use one of those\n"
            f"kill.yaml: regions: us-east-1: {strict} allows eu-west-1; use one of those\n"
            f"kill.yaml: duration: the drill may take 3 min 5 s, and {strict} allows 60 s;"
            " shorten faults, objectives or recover_within\n"
            f"kill.yaml: irreversible: instance_termination cannot be put back, and {strict} allows"
            " nothing of that kind; leave it out"
        ),
    )


def test_a_policy_that_is_found_is_held_against_it_too(drill: Path) -> None:
    found = drill.with_name("chaos.toml")
    found.write_text('regions = ["eu-west-1"]')
    code, told = validate(drill)
    assert code == 2
    assert told == f"kill.yaml: regions: us-east-1: {found} allows eu-west-1; use one of those"
    drill.write_text(EXPERIMENT.replace("accounts:", "#"))
    assert validate(drill)[0] == 0  # it is for a lab


def test_an_experiment_may_hold_itself_to_less(drill: Path) -> None:
    drill.write_text(f"{EXPERIMENT}safety: {{max_duration: 1m}}\n")
    assert "the experiment's safety allows 60 s" in validate(drill)[1]


def test_a_wrong_policy_is_told(drill: Path) -> None:
    wrong = drill.with_name("wrong.toml")
    wrong.write_text("acounts = []")
    assert validate("--policy", wrong, drill) == (
        2,
        f"{wrong}:1:1: acounts: is not known here; did you mean 'accounts'?",
    )
