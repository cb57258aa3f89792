"""A probe that runs programs of this machine runs only where that is allowed."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from calls import called

from chaos.drill import Drill
from chaos.errors import InvalidInput

DRILL = """
name: drill
probes:
  playback: {kind: http, url: "http://api.stream.example/playback"}
  checkout: {kind: command, command: [touch, RAN]}
  refund: {kind: command, command: [touch, RAN]}
faults: [{kind: region_outage, region: us-east-1, lasts: 180s}]
objectives: {playback: {rto: 60s}}
"""


@pytest.fixture
def drill(tmp_path: Path) -> Path:
    path = tmp_path / "drill.yaml"
    path.write_text(DRILL.replace("RAN", str(tmp_path / "ran")))
    return path


def told(drill: Path) -> str:
    what = "runs programs of this machine; allow it with --allow-commands"
    return (
        f"{drill}:5:3: probes.checkout: kind command {what}\n"
        f"{drill}:6:3: probes.refund: kind command {what}"
    )


@pytest.mark.parametrize("command", ["run", "plan"])
def test_without_the_option_nothing_begins(drill: Path, command: str) -> None:
    where = () if command == "plan" else ("--runs", str(drill.parent / "runs"))
    done = called(command, str(drill), *where)
    assert isinstance(done.exception, InvalidInput)
    assert str(done.exception) == told(drill)
    assert [path.name for path in drill.parent.iterdir()] == ["drill.yaml"]


def test_such_an_experiment_is_valid_all_the_same(drill: Path) -> None:
    assert called("validate", str(drill)).exception is None


def test_with_it_the_drill_is_accepted(drill: Path) -> None:
    assert set(Drill(drill, allow_commands=True).experiment.probes) >= {"checkout", "refund"}
    with pytest.raises(InvalidInput):
        Drill(drill)


@pytest.mark.parametrize("command", ["run", "plan"])
def test_the_option_is_handed_on(
    drill: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Both commands end at the environment, which is not there."""

    def nowhere(_: float, main: Coroutine[Any, Any, Any]) -> None:
        main.close()
        raise InvalidInput("no environment")

    monkeypatch.setattr("chaos.drill.run_at", nowhere)
    where = () if command == "plan" else ("--runs", str(drill.parent / "runs"))
    done = called(command, str(drill), "--allow-commands", *where)
    assert str(done.exception) == "no environment"
