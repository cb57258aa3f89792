"""Every experiment of the library has the verdict on LocalStack that it has in the embedded lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from localstack_process import running
from on_localstack import SPEED, left, left_by_anyone, run

from chaos.experiment import load

EXPERIMENTS = Path(__file__).parent.parent.parent / "experiments"
# LocalStack evaluates its alarms by the wall's clock.
SPEEDS = {"alarm-detects": "1"}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Nobody else's, so that whatever is left in it was left by the experiment."""
    with running(tmp_path_factory.mktemp("library")) as it:
        yield it.endpoint


@pytest.mark.parametrize("name", sorted(path.stem for path in EXPERIMENTS.glob("*.yaml")))
def test_it_is_held_and_nothing_is_left(emulator: str, tmp_path: Path, name: str) -> None:
    done, verdict = run(tmp_path, emulator, name, speed=SPEEDS.get(name, SPEED))
    assert (done.returncode, verdict["value"]) == (0, "held"), done.stderr
    assert verdict["environment"] == "localstack"
    experiment = load(EXPERIMENTS / f"{name}.yaml").on("localstack")
    assert verdict["stand_ins"] == experiment.stand_ins
    assert not left(emulator, experiment.lab)
    assert not left_by_anyone(emulator)
