"""The file of a history: private, shared by runs side by side, never spoilt."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from results.past import kept, promise

from chaos import results
from chaos.errors import StoreFailed
from chaos.results import sqlite, store, tables


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A history with a run in it."""
    put(tmp_path / "history.sqlite", 1)
    return tmp_path / "history.sqlite"


def put(path: Path, day: int) -> None:
    with sqlite.opened(path, create=True) as store:
        store.put(kept(day, promise(40.0)))


def refused(path: Path) -> str:
    """What is said, and nothing is changed."""
    before = path.read_bytes()
    with pytest.raises(StoreFailed) as told:
        put(path, 2)
    assert path.read_bytes() == before
    return str(told.value).removeprefix(f"{path}: ")


def test_it_is_one_file_for_this_user_alone(tmp_path: Path) -> None:
    put(tmp_path / "new" / "history.sqlite", 1)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["history.sqlite"]
    assert stat.S_IMODE((tmp_path / "new" / "history.sqlite").stat().st_mode) == 0o600


def test_asking_makes_no_file(tmp_path: Path) -> None:
    assert results.runs(tmp_path / "history.sqlite") == []
    assert list(tmp_path.iterdir()) == []


def test_runs_side_by_side_all_get_in(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda day: put(path, day), range(24)))
    assert len(results.runs(path)) == 24


def test_one_that_stays_locked_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WITHIN_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert refused(path) == "the history is locked: others have kept it busy for 0.05 s"
    put(path, 2)


@pytest.mark.parametrize("damage", ["text", "cut", "scribbled"])
def test_a_damaged_one_is_told_and_left_alone(path: Path, damage: str) -> None:
    whole = path.read_bytes()
    broken = {
        "text": b"this is no database, though it is longer than its header would be" * 20,
        "cut": whole[: len(whole) // 2],
        "scribbled": whole[:100] + b"\xff" * 5000 + whole[5100:],
    }
    path.write_bytes(broken[damage])
    told = refused(path)
    assert told.startswith("the history is damaged (")
    assert told.endswith("chaos history --import RUNS")


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE orders (id)")
    assert refused(path) == "is a database of something else; give another file"


def test_one_of_a_later_chaos_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    known = len(tables.MIGRATIONS)
    assert refused(path) == (f"has version 99 of a history, this chaos knows {known}; update chaos")


def test_one_of_an_earlier_chaos_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("ALTER TABLE chaos_runs ADD COLUMN later TEXT",)
    monkeypatch.setattr(tables, "MIGRATIONS", (*tables.MIGRATIONS, more))
    put(path, 2)
    assert [run.run for run in results.runs(path)] == ["r01", "r02"]
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT later FROM chaos_runs").fetchall() == [(None,), (None,)]
        assert other.execute("PRAGMA user_version").fetchone() == (len(tables.MIGRATIONS),)


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = ("ALTER TABLE chaos_runs ADD COLUMN later TEXT", "ALTER TABLE nowhere ADD COLUMN x")
    monkeypatch.setattr(tables, "MIGRATIONS", (*tables.MIGRATIONS, wrong))
    assert "the history cannot be used: no such table: nowhere" in refused(path)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match="the history cannot be used: Not a directory"):
        put(tmp_path / "file" / "history.sqlite", 1)


def test_one_that_is_interrupted_has_all_of_a_run_or_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "result_rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put(path, 2)
    monkeypatch.undo()
    assert [run.run for run in results.runs(path)] == ["r01"]
