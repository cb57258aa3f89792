"""The wall's clock may jump: nothing that is measured or put back hangs on it."""

from __future__ import annotations

import ast
import asyncio
import time
from pathlib import Path

import pytest
from fakes import LookLab, experiment

import chaos
from chaos.journal import Event, Journal, read
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.run import Run
from chaos.testing import small_lab

DAY = 86400.0
HERE = Path(chaos.__file__).parent
# What measures and what puts back; the wall's time is in the journal's header alone.
ENGINE = [
    *(
        HERE / f"{name}.py"
        for name in ("run", "injection", "journal", "outside", "record", "stops")
    ),
    *(HERE / f"{name}.py" for name in ("watch", "probing", "history", "wishes")),
    *sorted((HERE / "rollback").glob("*.py")),
    *sorted((HERE / "verdict").glob("*.py")),
    HERE.parent / "probes" / "schedule.py",
]


NOW = {("datetime", name) for name in ("now", "today", "utcnow")}


def told(path: Path, monkeypatch: pytest.MonkeyPatch, jump: float) -> list[Event]:
    """The journal of a run in the middle of which the wall's clock jumps by so many seconds."""
    real = time.time

    async def main() -> None:
        now = Stopwatch()
        journal = Journal.create(path, now)
        journal.write("run", v=1, run="r", environment={}, experiment=experiment().to_json())
        asyncio.get_running_loop().call_later(2.5, leap)
        await Run("r", experiment(), LookLab(small_lab()), journal, Stop(), now).go()
        journal.close()

    def leap() -> None:
        patch.setattr(time, "time", lambda: real() + jump)
        patch.setattr(time, "time_ns", lambda: int((real() + jump) * 1e9))

    with monkeypatch.context() as patch:
        run_virtual(main())
    return read(path)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_jump_of_the_wall_changes_no_measure_and_no_rollback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    still = told(tmp_path / "still.jsonl", monkeypatch, 0.0)
    assert [e["outcome"] for e in still if e["event"] == "restored"]
    assert told(tmp_path / "jump.jsonl", monkeypatch, jump) == still


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.name)
def test_the_engine_does_not_know_the_time_of_the_wall(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert "time" not in {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module != "time"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            # Times that a journal holds may be compared; what time it is may not be asked.
            assert (node.value.id, node.attr) not in NOW
