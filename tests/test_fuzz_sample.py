"""A sample of the campaign `fuzz`, always the same one, and that the campaign notices harm."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from campaigns import fuzz

from chaos import experiment
from chaos.errors import InvalidInput
from chaos.secrets import Secrets


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What these files call secret is none of the other tests'; nor are the files that fail."""
    for module in ("chaos.secrets", "chaos.experiment", "chaos.experiment.variables"):
        monkeypatch.setattr(f"{module}.SECRETS", Secrets())
    monkeypatch.setattr(fuzz, "KEPT", tmp_path / "kept")


def test_no_file_ends_in_a_traceback_hangs_or_touches_anything() -> None:
    tally = fuzz.campaign(500, seed=7)
    assert tally.wrong == []
    assert (tally.files, tally.by_command) == (500, 1)
    assert 5 <= tally.valid <= 495


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ("raise RuntimeError('a defect')", "RuntimeError: a defect"),
        ("open('left-behind', 'w').close()", "touched open 'left-behind'"),
        ("subprocess.run(['true'])", "touched "),
        ("__import__('socket').create_connection(('127.0.0.1', 9))", "touched socket.connect"),
    ],
)
def test_what_does_harm_is_noticed_and_the_file_kept(
    harm: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def load(_path: Path) -> None:
        with contextlib.suppress(OSError):
            exec(harm, {"subprocess": subprocess})  # noqa: S102  # one of those above
        raise InvalidInput("not a word of it is right")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiment, "load", load)
    tally = fuzz.batch(7, 1, count=2)
    (wrong,) = tally.wrong
    assert says in wrong
    assert Path(wrong.partition(":")[0]).is_file()


def test_it_is_a_command(tmp_path: Path) -> None:
    tests = Path(fuzz.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "campaigns", "fuzz", "--count", "20", "--seed", "7"],
        cwd=tests.parent,
        env={"PYTHONPATH": f"{tests.parent}:{tests}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "tracebacks, hangs, touches       0" in done.stdout
