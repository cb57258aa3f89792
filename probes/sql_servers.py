"""The databases that an `sql_ledger` speaks to: one connection, one transaction, and it is gone.

Each server is one class with two verbs. What a driver is waiting for when an attempt is given up is
cut off at its socket, since neither driver lets go of a server that hangs.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from probes.names import family_of
from probes.probe import IN_FLIGHT, Attempt, ProbeFailed
from probes.tls_context import context

if TYPE_CHECKING:
    from probes.net import Net

T = TypeVar("T")
Rows = list[tuple[Any, ...]]
CUT_WITHIN_S = 10.0  # of the loop: a driver whose socket has ended says so at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a database is and who asks; `options` are the driver's."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters, as %s."""

    text: str
    values: tuple[object, ...] = ()


async def _cut_off(work: Coroutine[Any, Any, T], cut: Callable[[], bool]) -> T:
    """The work's result. When this is cancelled, `cut` ends what the work waits for.

    It returns whether there was anything to cut off: if not, the work itself is cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not cut():
            task.cancel()
        await asyncio.wait({task}, timeout=CUT_WITHIN_S)
        if task.done() and not task.cancelled():
            task.exception()  # nobody is left to ask for it
        raise


def _shut(fd: int) -> bool:
    """End the connection under a driver; it finds the end of the stream."""
    with suppress(OSError), socket.socket(fileno=os.dup(fd)) as sock:
        sock.shutdown(socket.SHUT_RDWR)
    return True


class PostgreSQL:
    """PostgreSQL through psycopg 3, on asyncio."""

    modules = ("psycopg",)
    port = 5432
    options = frozenset(
        {"sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs", "options"}
    )

    @staticmethod
    def quoted(name: str) -> str:
        """A name of a table, or of its schema."""
        return f'"{name}"'

    def __init__(self, net: Net, target: Target, attempt: Attempt) -> None:
        self._net = net
        self._target = target
        self._attempt = attempt
        self._connection: Any = None
        self._warnings: list[str] = []

    async def write(self, statements: Sequence[Statement]) -> None:
        """Return when COMMIT has; raises ProbeFailed or OSError when it is not known whether."""
        await self._within(self._write(statements))

    async def read(self, statement: Statement) -> Rows:
        """All rows."""
        rows: Rows = await self._within(self._read(statement))
        return rows

    async def _within(self, work: Coroutine[Any, Any, T]) -> T:
        import psycopg

        try:
            return await _cut_off(self._closed(work), self._cut)
        except psycopg.Error as error:
            lines = str(error).strip().splitlines()
            raise ProbeFailed(lines[0] if lines else type(error).__name__) from error

    def _cut(self) -> bool:
        open_ = self._connection is not None and not self._connection.closed
        return open_ and _shut(self._connection.fileno())

    async def _closed(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return await work
        finally:
            if self._connection is not None:
                await self._connection.close()

    async def _open(self) -> None:
        import psycopg

        target = self._target
        address = await self._net.address(target.host, self._attempt)
        address, port = self._net.route(address, target.port)
        options: dict[str, Any] = dict(target.options)
        with self._attempt.phase("connect"):
            self._connection = await psycopg.AsyncConnection.connect(
                host=target.host,
                hostaddr=address,
                port=port,
                user=target.user,
                password=target.password,
                dbname=target.database,
                application_name="chaos-drill",
                prepare_threshold=None,
                **options,
            )
        self._connection.add_notice_handler(self._noticed)

    def _noticed(self, notice: Any) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._warnings.append(str(notice.message_primary))

    async def _write(self, statements: Sequence[Statement]) -> None:
        await self._open()
        with self._attempt.phase("write"):
            for statement in statements:
                await self._connection.execute(statement.text, statement.values or None)
        self._warnings.clear()
        with self._attempt.phase("commit"):
            await self._connection.commit()
        if self._warnings:
            # As when the wait for a synchronous standby was cancelled: committed here alone.
            raise ProbeFailed(f"committed with a warning: {self._warnings[0]}")

    async def _read(self, statement: Statement) -> Rows:
        await self._open()
        with self._attempt.phase("read"):
            found = await self._connection.execute(statement.text, statement.values)
            return list(await found.fetchall())


@cache
def _threads() -> ThreadPoolExecutor:
    """Of their own, as many as attempts may hang: nothing else may have to wait for them."""
    return ThreadPoolExecutor(max_workers=IN_FLIGHT, thread_name_prefix="mysql")


class MySQL:
    """MySQL and MariaDB through PyMySQL, which blocks: in a thread, on a socket of ours."""

    modules = ("pymysql",)
    port = 3306
    options = frozenset({"ssl_ca"})

    @staticmethod
    def quoted(name: str) -> str:
        """A name of a table, or of its schema."""
        return f"`{name}`"

    def __init__(self, net: Net, target: Target, attempt: Attempt) -> None:
        self._net = net
        self._target = target
        self._attempt = attempt

    async def write(self, statements: Sequence[Statement]) -> None:
        """Return when COMMIT has; raises ProbeFailed or OSError when it is not known whether."""

        def written(connection: Any) -> None:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement.text, statement.values or None)
            connection.commit()

        await self._on_a_connection(written, "write")

    async def read(self, statement: Statement) -> Rows:
        """All rows."""

        def rows(connection: Any) -> Rows:
            with connection.cursor() as cursor:
                cursor.execute(statement.text, statement.values)
                return list(cursor.fetchall())

        return await self._on_a_connection(rows, "read")

    async def _on_a_connection(self, work: Callable[[Any], T], phase: str) -> T:
        import pymysql

        sock = await self._socket()
        # The driver may put the socket into another one, for TLS: this one stays ours.
        fd = os.dup(sock.fileno())

        def blocking() -> T:
            connection = self._unconnected()
            try:
                connection.connect(sock)
                return work(connection)
            finally:
                connection._force_close()  # without a word to a server that may hang
                sock.close()

        async def threaded() -> T:
            return await asyncio.get_running_loop().run_in_executor(_threads(), blocking)

        try:
            with self._attempt.phase(phase):
                return await _cut_off(threaded(), lambda: _shut(fd))
        except pymysql.Error as error:
            code, *said = error.args or (0, type(error).__name__)
            raise ProbeFailed(f"{' '.join(map(str, said))} ({code})") from error
        finally:
            os.close(fd)

    def _unconnected(self) -> Any:
        import pymysql

        target = self._target
        connect: Any = pymysql.connect  # an overload of many, none of them so
        ca = target.options.get("ssl_ca")
        return connect(
            host=target.host,
            user=target.user,
            password=target.password,
            database=target.database,
            charset="utf8mb4",
            autocommit=False,
            defer_connect=True,
            # Made once: left to itself, the driver reads all certificates at each connection.
            **({"ssl": context(True, ca)} if ca else {"ssl_disabled": True}),
        )

    async def _socket(self) -> socket.socket:
        target = self._target
        address = await self._net.address(target.host, self._attempt)
        sock = socket.socket(family_of(address), socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            with self._attempt.phase("connect"):
                place = self._net.route(address, target.port)
                await asyncio.get_running_loop().sock_connect(sock, place)
            sock.setblocking(True)
        except BaseException:
            sock.close()
            raise
        return sock
