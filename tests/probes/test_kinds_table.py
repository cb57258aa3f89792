"""The tables of kinds import what is asked for, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from probes.kinds import Kinds

PLACES = {"date": "datetime:date", "ghost": "datetime:Ghost", "nowhere": "probes.nowhere:Ghost"}


def test_a_class_is_found_by_its_kind() -> None:
    import datetime as dt

    kinds: Kinds[object] = Kinds(PLACES)
    assert kinds["date"] is dt.date
    assert kinds["date"] is dt.date
    assert kinds.get("unknown") is None


def test_a_kind_is_known_without_being_imported() -> None:
    kinds: Kinds[object] = Kinds(PLACES)
    assert list(kinds) == ["date", "ghost", "nowhere"]
    assert len(kinds) == 3
    assert "nowhere" in kinds
    assert "unknown" not in kinds


def test_a_table_that_is_wrong_is_a_defect() -> None:
    kinds: Kinds[object] = Kinds(PLACES)
    with pytest.raises(AttributeError):
        kinds["ghost"]
    with pytest.raises(ModuleNotFoundError):
        kinds["nowhere"]


def test_a_kind_may_be_put_in_and_taken_out() -> None:
    kinds: Kinds[object] = Kinds({})
    kinds["int"] = int
    assert kinds["int"] is int
    del kinds["int"]
    assert not kinds


@pytest.mark.parametrize("package", ["probes", "chaos.faults", "chaos.levers"])
def test_a_table_imports_no_kind(package: str) -> None:
    told = f"import sys, {package} as p; print([m for m in sys.modules if m in {{k.split(':')[0]"
    told += " for k in p.KINDS._found.values()}])"
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
