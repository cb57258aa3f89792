"""A history in a real PostgreSQL: what a server can do to it, and that no password is shown."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from postgresql_server import PASSWORD, USER, Server, server
from results.past import kept, promise

from chaos import results
from chaos.errors import StoreFailed
from chaos.results import postgresql, tables
from chaos.secrets import SECRETS


@pytest.fixture
def running() -> Server:
    return server()


@pytest.fixture
def database(running: Server) -> str:
    """The name of an empty one."""
    return running.database()


def put(url: str, day: int) -> None:
    location = results.located(url)
    assert location is not None
    with results.opened(location) as store:
        store.put(kept(day, promise(40.0)))


def told(url: str) -> str:
    with pytest.raises(StoreFailed) as error:
        put(url, 1)
    return str(error.value)


def test_the_first_runs_of_a_team_make_the_tables_once(running: Server, database: str) -> None:
    url = running.url(database)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda day: put(url, day), range(12)))
    assert len(results.runs(url)) == 12


def test_one_of_an_earlier_chaos_is_brought_up_to_date_and_a_later_one_left_alone(
    running: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = running.url(database)
    put(url, 1)
    more = ("ALTER TABLE chaos_runs ADD COLUMN later TEXT",)
    known = len(tables.MIGRATIONS)
    with monkeypatch.context() as newer:
        newer.setattr(tables, "MIGRATIONS", (*tables.MIGRATIONS, more))
        put(url, 2)
    place = f"postgresql://{USER}@127.0.0.1:{running.port}/{database}"
    later = f"has version {known + 1} of a history, this chaos knows {known}; update chaos"
    assert told(url) == f"{place}: {later}"


def test_who_may_only_read_can_read(running: Server, database: str) -> None:
    put(running.url(database), 1)
    with psycopg.connect(running.url(database), autocommit=True) as owner:
        owner.execute("CREATE ROLE reader LOGIN PASSWORD 'only-to-read-it'")
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    url = running.url(database).replace(USER, "reader", 1).replace(PASSWORD, "only-to-read-it")
    assert [run.run for run in results.runs(url)] == ["r01"]
    assert "permission denied for table chaos_r" in told(url)


def test_a_table_that_stays_locked_is_told(
    running: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = running.url(database)
    put(url, 2)
    monkeypatch.setattr(postgresql, "LIMITS", "SET lock_timeout = 50")
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE chaos_runs")
        assert "the history cannot be used: canceling statement due to lock timeout" in told(url)


@pytest.mark.parametrize("way", ["variable", "file"])
def test_a_password_may_be_kept_where_those_of_postgresql_are(
    running: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    secret = f"of-{way}-0123456789"
    with psycopg.connect(running.url("postgres"), autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {way}_user LOGIN SUPERUSER PASSWORD '{secret}'".encode())
    if way == "variable":
        monkeypatch.setenv("PGPASSWORD", secret)
    else:
        path = tmp_path / "pgpass"
        path.write_text(f"127.0.0.1:{running.port}:{database}:{way}_user:{secret}\n")
        path.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(path))
    put(running.url(database, None).replace(USER, f"{way}_user"), 1)
    assert SECRETS.mask(f"<{secret}>") == "<***>"


def test_a_wrong_password_is_told_and_not_shown(running: Server, database: str) -> None:
    wrong = "p%C3%A4ss%40w:rd"
    said = told(running.url(database, wrong))
    assert 'password authentication failed for user "chaos"' in said
    assert not any(part in said for part in ("pass%", "päss", "w:rd", "***"))
    assert "\n" not in said


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "the history cannot be used: connection failed" in told(
        f"postgresql://u@127.0.0.1:{port}/drills"
    )


def test_a_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgresql.SETTINGS, "connect_timeout", 2)  # the least that libpq takes
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/drills"
        assert "the history cannot be used: connection timeout expired" in told(url)
