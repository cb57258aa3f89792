"""Rows of real servers: committed on a primary, looked for on its standby, and in MariaDB."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import pymysql
import pytest
from databases import Server, mariadb, server, standby
from postgresql_server import PASSWORD
from pydantic import ValidationError

from chaos.loops import run_at
from chaos.secrets import Secrets
from chaos.testing import Aim, check_probe, one_sample
from probes.net import Net
from probes.probe import Attempt, ProbeFailed
from probes.sql_ledger import SqlLedger

WITHIN_S = 60.0


def ledger(url: str, **fields: Any) -> SqlLedger:
    return SqlLedger.model_validate({"kind": "sql_ledger", "url": url, "create": True} | fields)


def attempt(n: int = 0, run: str = "run1", probe: str = "orders") -> Attempt:
    return Attempt(run=run, probe=probe, n=n)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return run_at(1, asyncio.wait_for(main, WITHIN_S))


@pytest.fixture(scope="module")
def primary() -> Server:
    return server()


@pytest.fixture(scope="module")
def replica(primary: Server) -> Iterator[Server]:
    with standby(primary) as found:
        yield found


@pytest.fixture(params=["postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> str:
    """A database of each kind, with an empty table."""
    if request.param == "postgresql":
        found = server()
        return found.url(found.database())
    with _mariadb() as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS chaos_ledger")
    return mariadb().url


def _mariadb() -> Any:
    at = {"host": "127.0.0.1", "port": mariadb().port, "user": "chaos", "password": PASSWORD}
    connect: Any = pymysql.connect
    return connect(**at, database="drill", autocommit=True)


def sql(url: str, statement: str) -> None:
    """As somebody else, who changes a row."""
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())
    else:
        with _mariadb() as connection, connection.cursor() as cursor:
            cursor.execute(statement)


# --- what every server does ---------------------------------------------------------------------


def test_what_was_committed_is_found_again(url: str) -> None:
    async def main() -> None:
        net, probe = Net(), ledger(url)
        for n in (0, 3, 11, 2):
            wrote = attempt(n)
            await probe.check(net, wrote)
            assert wrote.detail["write"] == "acknowledged"
            assert {"connect", "write"} <= wrote.phases.keys()
        await probe.check(net, attempt(5, run="run2"))
        await probe.check(net, attempt(6, probe="other"))
        assert await probe.read(net, attempt()) == [0, 2, 3, 11]
        assert await ledger(url).read(net, attempt(run="run2")) == [5]

    run(main())


def test_a_row_that_is_gone_or_changed_did_not_survive(url: str) -> None:
    async def main() -> None:
        net, probe = Net(), ledger(url)
        for n in range(4):
            await probe.check(net, attempt(n))
        sql(url, "DELETE FROM chaos_ledger WHERE number = 1")
        sql(url, "UPDATE chaos_ledger SET written = written + 0.5 WHERE number = 2")
        read = attempt()
        assert await probe.read(net, read) == [0, 3]
        assert read.detail["conflicting"] == [2]

    run(main())


def test_a_table_may_keep_the_time_in_decimals(url: str) -> None:
    async def main() -> None:
        columns = "series varchar(190), number bigint, written numeric(20,6)"
        sql(url, f"CREATE TABLE in_decimals ({columns})")
        probe, read = ledger(url, create=False, table="in_decimals"), attempt()
        await probe.check(Net(), attempt(7))
        assert await probe.read(Net(), read) == [7]
        assert read.detail["conflicting"] == []

    run(main())


def test_without_a_table_nothing_is_written_and_nothing_can_be_read(url: str) -> None:
    async def main() -> None:
        net, probe = Net(), ledger(url, create=False, table="absent")
        with pytest.raises(ProbeFailed, match="absent"):
            await probe.check(net, attempt())
        with pytest.raises(ProbeFailed, match="absent"):
            await probe.read(net, attempt())

    run(main())


def test_a_wrong_password_is_told_and_never_shown(url: str) -> None:
    async def main() -> str:
        wrong = url.replace(PASSWORD, "another-secret")
        sample = await one_sample(ledger(wrong), Net())
        assert (sample.ok, sample.crashed, sample.detail["write"]) == (False, False, "unknown")
        return sample.error

    told = run(main())
    assert "chaos" in told
    assert "another-secret" not in told


def test_a_lock_held_by_others_is_given_up_in_time_and_nothing_is_left(url: str) -> None:
    """The server is well, and the transaction hangs: it must not hang with it."""
    run(_locked(url))


async def _locked(url: str) -> None:
    net, probe = Net(), ledger(url, timeout="300ms", every="300ms")
    await probe.check(net, attempt(1))
    if url.startswith("postgresql"):
        other: Any = psycopg.connect(url)
        other.execute("LOCK TABLE chaos_ledger")
    else:
        other = _mariadb()
        other.cursor().execute("LOCK TABLES chaos_ledger WRITE")
    try:
        began = time.monotonic()
        sample = await one_sample(probe, net)
        assert sample.error.startswith("timed out after 300 ms (write)")
        assert time.monotonic() - began < WITHIN_S / 4
    finally:
        other.close()
    await probe.check(net, attempt(7))
    assert 7 in await probe.read(net, attempt())


@asynccontextmanager
async def hanging() -> AsyncIterator[int]:
    """A server that takes a connection and says nothing."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


def test_it_is_a_probe_as_all_others(url: str) -> None:
    async def main() -> None:
        port = url.rpartition("/")[0].rpartition(":")[2]
        async with hanging() as silent:
            await check_probe(
                good=Aim(probe=ledger(url, table="contract", every="10ms")),
                bad=Aim(probe=ledger(url, create=False, table="absent")),
                hanging=Aim(probe=ledger(url.replace(port, str(silent)), timeout="200ms")),
            )

    run(main())


# --- PostgreSQL and its standby -------------------------------------------------------------------


def test_the_standby_has_what_it_was_sent_and_lost_the_rest(
    primary: Server, replica: Server
) -> None:
    database = primary.database()

    async def main() -> None:
        probe = ledger(primary.url(database), read_from=replica.url(database))
        for n in range(3):
            await probe.check(Net(), attempt(n))
        await _until_read(probe, [0, 1, 2])
        with psycopg.connect(replica.url("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            try:
                await probe.check(Net(), attempt(3))  # acknowledged, and not to be seen there
                assert await probe.read(Net(), attempt()) == [0, 1, 2]
            finally:
                connection.execute("SELECT pg_wal_replay_resume()")
        await _until_read(probe, [0, 1, 2, 3])

    run(main())


async def _until_read(probe: SqlLedger, wanted: list[int]) -> None:
    """Replication takes its time; the test's deadline bounds it."""
    while True:
        with suppress(ProbeFailed):  # the database is not there yet
            if await probe.read(Net(), attempt()) == wanted:
                return
        await asyncio.sleep(0.02)


def test_a_standby_takes_no_writes(primary: Server, replica: Server) -> None:
    async def main() -> None:
        with pytest.raises(ProbeFailed, match="read-only transaction"):
            await ledger(replica.url("postgres")).check(Net(), attempt())

    run(main())


def test_a_commit_that_no_longer_waits_for_its_standby_is_not_acknowledged(primary: Server) -> None:
    """The synchronous standby is not there; somebody cancels the wait: PostgreSQL warns."""
    database = primary.database()
    target = primary.url(database)

    async def main() -> None:
        await ledger(target).check(Net(), attempt(1))  # while the table can be made
        sql(target, f"ALTER DATABASE {database} SET synchronous_commit = 'on'")
        sql(target, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        sql(target, "SELECT pg_reload_conf()")
        wrote = attempt(2)
        try:
            writing = asyncio.create_task(ledger(target).check(Net(), wrote))
            with pytest.raises(ProbeFailed, match="committed with a warning: canceling wait"):
                await asyncio.gather(writing, _cancel_waiting(target, writing))
        finally:
            sql(target, "ALTER SYSTEM RESET synchronous_standby_names")
            sql(target, "SELECT pg_reload_conf()")
        assert wrote.detail["write"] == "unknown"

    run(main())


async def _cancel_waiting(url: str, until: asyncio.Task[None]) -> None:
    while not until.done():
        sql(
            url,
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
        )
        await asyncio.sleep(0.02)


# --- what can be written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "sqlite:///x"}, "begins with postgresql:// or mysql://"),
        ({"url": "postgresql://host/db"}, "is like postgresql://USER@HOST:PORT/DATABASE"),
        ({"url": "postgresql://u:p@host"}, "names no database after the host"),
        ({"url": "postgresql://u:p@ho_st,x/db"}, "is no host name"),
        # What is not encoded is not known for a password where it is to be masked.
        ({"url": "postgresql://u:p w@host/db"}, "percent-encode"),
        ({"url": "postgresql://u:p@w@host/db"}, "percent-encode"),
        ({"url": "postgresql://u:p/w@host/db"}, "percent-encode"),
        ({"url": "mysql://u:p#w@host/db"}, "percent-encode"),
        ({"url": "mysql://u:p[w@host/db"}, "percent-encode"),
        ({"url": "mysql://u:p@host/db#x"}, "percent-encode"),
        ({"url": "postgresql://u:p@host:0/db"}, "port 0 cannot be connected to"),
        ({"url": "postgresql://u:p@host:x/db"}, "has no number for a port"),
        (
            {"url": "postgresql://u:p@host/db?sslmode=require&sslmode=disable"},
            "has the option sslmode twice",
        ),
        ({"url": "postgresql://u:p@host:99999/db"}, "has no number for a port"),
        ({"url": "postgresql://u:p@host/db?host=other"}, "has the option 'host'; there may be"),
        (
            {"url": "mysql://u:p@host/db?sslmode=off"},
            "has the option 'sslmode'; there may be ssl_ca",
        ),
        ({"read_from": "x"}, "begins with postgresql:// or mysql://"),
        ({"table": 'a"; DROP TABLE b'}, "is no name of a table"),
        (
            {"url": "postgresql://u:p@192.0.2.1/d", "family": "ipv6"},
            "is an IPv4 address, and family",
        ),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        ledger(**{"url": "postgresql://u:p@db.test/orders"} | fields)
    assert said in str(error.value)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_missing_extra_is_told(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        __import__("sys").modules, {"mysql": "pymysql"}.get(scheme, "psycopg"), None
    )
    with pytest.raises(ValidationError, match=rf"needs the extra {scheme}; .*'\.\[{scheme}\]'"):
        ledger(f"{scheme}://u:p@db.test/orders")


def test_a_password_in_a_url_is_masked_in_what_is_written() -> None:
    probe = ledger("postgresql://u:short@db.test/orders")
    assert Secrets().mask(probe.url) == "postgresql://u:***@db.test/orders"
