"""`chaos lab down` where an emulator that hangs has kept what the lab made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos.cli.lab import _refuse_left
from chaos.environments.standing import Standing
from chaos.errors import EnvironmentFailed
from chaos.lab.made import Ledger, Made

NOWHERE = "http://127.0.0.1:1"
TOLD = {"endpoint": NOWHERE, "name": "LocalStack", "session": "s", "key": ["test", "test"]}


def standing(made_in: dict[str, Any] | None) -> Standing:
    about = {"made_in": made_in}
    return Standing(name="mine", keeper=1, born="", boot="", since="", until="", about=about)


def test_what_an_emulator_that_does_not_answer_has_kept_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    async def never(*_: object, **__: object) -> dict[str, Any]:
        raise AssertionError

    lab = standing({"lab": "queue", "told": TOLD})
    _refuse_left(lab)  # it had made nothing
    file = Ledger.open(NOWHERE, "queue", "s")
    Made(never, file).undo("sqs", "us-east-1", "delete_queue", QueueUrl=f"{NOWHERE}/q")
    file.close()
    with pytest.raises(EnvironmentFailed, match=r"mine is down, but LocalStack does not answer"):
        _refuse_left(lab)


def test_a_lab_with_an_emulator_of_its_own_leaves_nothing_there() -> None:
    _refuse_left(standing(None))
