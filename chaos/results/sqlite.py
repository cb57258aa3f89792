"""A history in a file of SQLite's: several runs may write at once, each waits for its turn.

The file has a rollback journal and no write-ahead log: at rest it is one file, which can be copied
and kept as an artifact as it is.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chaos import private
from chaos.errors import StoreFailed
from chaos.results import tables
from chaos.results.store import WITHIN_S, Ask, SqlStore, transaction

BEGIN = "BEGIN IMMEDIATE"  # or two that have read could both wait to write, for ever
MARK = 0x6368616F  # "chao": the application_id of our files


@contextlib.contextmanager
def opened(path: Path, *, create: bool) -> Iterator[SqlStore]:
    """The store in that file, which is made if that is wanted; raises StoreFailed."""
    with _told(path):
        if create:
            _create(path)
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, timeout=WITHIN_S, uri=True, isolation_level=None)
        with contextlib.closing(connection):
            connection.create_function("strpos", 2, lambda text, part: text.find(part) + 1)

            def ask(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
                return connection.execute(sql, values).fetchall()

            _check(ask, path)
            yield SqlStore(ask, BEGIN, str(path))


def _create(path: Path) -> None:
    private.directory(path.parent)
    with contextlib.suppress(FileExistsError):
        os.close(private.create(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def _check(ask: Ask, path: Path) -> None:
    """That it is ours, whole, and of this version."""
    # In this order: another run may make tables and mark between the two questions.
    (has_tables,) = ask("SELECT count(*) FROM sqlite_master", ())[0]
    (mark,) = ask("PRAGMA application_id", ())[0]
    if has_tables and mark != MARK:
        raise StoreFailed(f"{path}: is a database of something else; give another file")
    (problem,) = ask("PRAGMA quick_check(1)", ())[0]
    if problem != "ok":
        raise sqlite3.DatabaseError(problem)
    if _version(ask) != len(tables.MIGRATIONS):
        _migrate(ask, path)


def _migrate(ask: Ask, path: Path) -> None:
    with transaction(ask, BEGIN):
        version = _version(ask)  # another run may have done it meanwhile
        if version > len(tables.MIGRATIONS):
            raise StoreFailed(tables.too_new(path, version))
        for statement in (s for step in tables.MIGRATIONS[version:] for s in step):
            ask(statement, ())
        ask(f"PRAGMA application_id = {MARK}", ())
        ask(f"PRAGMA user_version = {len(tables.MIGRATIONS)}", ())


def _version(ask: Ask) -> int:
    return int(ask("PRAGMA user_version", ())[0][0])


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            why = f"others have kept it busy for {WITHIN_S:g} s"
            raise StoreFailed(f"{path}: the history is locked: {why}") from error
        raise StoreFailed(f"{path}: the history cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        said = " ".join(str(error).split())  # it may have several lines
        raise StoreFailed(
            f"{path}: the history is damaged ({said}); nothing was changed: move the file away"
            " and make it anew from the journals: chaos history --import RUNS"
        ) from error
    except OSError as error:
        raise StoreFailed(f"{path}: the history cannot be used: {error.strerror}") from error
