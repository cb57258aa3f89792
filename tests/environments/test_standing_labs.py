"""The entries of labs that stay: whose lab lives, whose name is free."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chaos.environments import traces
from chaos.environments.standing import Standing, StandingLabs
from chaos.errors import EnvironmentFailed, InvalidInput


def entry(name: str = "one", **fields: Any) -> Standing:
    here = {"keeper": os.getpid(), "born": traces.born(os.getpid()), "boot": traces.boot()}
    return Standing(**{"name": name, **here, "since": "", "until": "", **fields})


def test_an_entry_is_alive_with_its_keeper_only() -> None:
    assert entry().alive
    assert not entry(born="1").alive  # the number went to another process
    assert not entry(boot="another start of the machine").alive
    assert not entry(ended="so").alive


def test_a_name_is_free_again_when_its_keeper_is_gone(tmp_path: Path) -> None:
    labs = StandingLabs(tmp_path / "labs")
    labs.claim(entry())
    with pytest.raises(InvalidInput, match="a lab 'one' is up already"):
        labs.claim(entry())
    labs.put(entry(boot="earlier"))
    labs.claim(entry(until="new"))
    assert labs.get("one") == entry(until="new")
    assert (tmp_path / "labs").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "labs" / "one.json").stat().st_mode & 0o777 == 0o600


def test_an_entry_that_another_lab_has_by_now_is_not_forgotten(tmp_path: Path) -> None:
    labs = StandingLabs(tmp_path)
    labs.claim(entry())
    labs.forget(entry(born="1"))
    assert labs.get("one") == entry()


def test_after_a_restart_what_has_the_number_is_not_the_labs() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True) as lab:
        described = {"pid": lab.pid, "directory": "/nowhere", "born": traces.born(lab.pid)}
        assert entry(described=described).left() == [f"process {lab.pid}"]
        assert not entry(described=described, boot="earlier").left()
        assert not entry(described={**described, "born": "1"}).left()


def test_an_entry_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text("[]")
    with pytest.raises(EnvironmentFailed, match=r"one\.json: is no entry of a lab; remove it"):
        StandingLabs(tmp_path).all()
