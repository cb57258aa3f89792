"""A history in a database of PostgreSQL, which a team shares."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from chaos.errors import StoreFailed
from chaos.results import tables
from chaos.results.location import Location
from chaos.results.store import WITHIN_S, Ask, SqlStore, transaction
from chaos.secrets import SECRETS

MILLISECONDS = int(WITHIN_S * 1000)
SETTINGS: dict[str, Any] = {
    "connect_timeout": int(WITHIN_S),
    "tcp_user_timeout": MILLISECONDS,  # a server that has gone silent
    "application_name": "chaos",
    "autocommit": True,  # transactions are begun by their name
}
LIMITS = f"SET statement_timeout = {MILLISECONDS}; SET lock_timeout = {MILLISECONDS}"
ONE_AT_A_TIME = 0x6368616F73  # an advisory lock's key, "chaos"


@contextlib.contextmanager
def opened(location: Location) -> Iterator[SqlStore]:
    """The store in that database, whose tables are made where they are not there.

    Raises StoreFailed. A password may be in the URL, in PGPASSWORD, or in ~/.pgpass.
    """
    with _told(location):
        connection = psycopg.connect(location.url, **SETTINGS)
        with contextlib.closing(connection):
            SECRETS.add(connection.info.password)

            def ask(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
                cursor = connection.execute(sql.replace("?", "%s").encode(), values)
                return cursor.fetchall() if cursor.description else []

            connection.execute(LIMITS)
            _migrate(ask, location)
            yield SqlStore(ask, "BEGIN", str(location))


def _migrate(ask: Ask, location: Location) -> None:
    if _version(ask) == len(tables.MIGRATIONS):
        return  # who may only read comes this far
    # Before the transaction: one that began without the tables goes on believing that.
    ask("SELECT pg_advisory_lock(?)", (ONE_AT_A_TIME,))
    with transaction(ask, "BEGIN"):
        version = _version(ask)
        if version > len(tables.MIGRATIONS):
            raise StoreFailed(tables.too_new(location, version))
        if version == 0:
            ask(tables.VERSION_TABLE, ())
            ask("INSERT INTO chaos_history VALUES (0)", ())
        for statement in (s for step in tables.MIGRATIONS[version:] for s in step):
            ask(statement, ())
        ask("UPDATE chaos_history SET version = ?", (len(tables.MIGRATIONS),))
    ask("SELECT pg_advisory_unlock(?)", (ONE_AT_A_TIME,))


def _version(ask: Ask) -> int:
    if ask("SELECT to_regclass('chaos_history')", ()) == [(None,)]:
        return 0
    return int(ask("SELECT version FROM chaos_history", ())[0][0])


@contextlib.contextmanager
def _told(location: Location) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        said = str(error).partition("\n")[0] or type(error).__name__
        raise StoreFailed(f"{location}: the history cannot be used: {said}") from error
