"""A standby of the tests' PostgreSQL, and a MariaDB: processes of the tests' own on loopback."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
import pymysql
from postgresql_server import NOBODY, PASSWORD, USER, Server, programs, server

START_WITHIN_S = 60.0
USER_OF_MARIADB = "chaos"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def standby(primary: Server) -> Iterator[Server]:
    """A hot standby that streams from the primary, which it knows by its port."""
    directory = Path(tempfile.mkdtemp(prefix="chaos-standby-"))
    as_user = {"user": NOBODY} if os.geteuid() == 0 else {}
    if as_user:
        shutil.chown(directory, NOBODY)
    source = f"host=127.0.0.1 port={primary.port} user={USER} password={PASSWORD}"
    copy = [programs() / "pg_basebackup", "-d", source, "-D", directory / "data", "-R"]
    copy += ["-X", "stream", "-c", "fast", "--no-sync"]
    quiet = {"cwd": directory, "stdout": subprocess.DEVNULL, **as_user}
    subprocess.run(copy, check=True, timeout=START_WITHIN_S, **quiet)  # type: ignore[call-overload]
    found = Server(free_port())
    command = [programs() / "postgres", "-D", directory / "data", "-c", f"port={found.port}"]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **quiet)  # type: ignore[call-overload]
    try:
        _wait(lambda: psycopg.connect(found.url("postgres"), connect_timeout=2).close(), process)
        yield found
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(START_WITHIN_S)
        shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class MariaDb:
    """One that runs, with one database and a user of its own."""

    port: int

    @property
    def url(self) -> str:
        return f"mariadb://{USER_OF_MARIADB}:{PASSWORD}@127.0.0.1:{self.port}/drill"


@cache
def mariadb() -> MariaDb:
    """The one of these tests."""
    path = f"{os.environ['PATH']}:/usr/sbin"  # where Debian has it
    program = shutil.which("mariadbd", path=path)
    assert program, "tests of MariaDB need its server: apt-get install mariadb-server-core"
    directory = Path(tempfile.mkdtemp(prefix="chaos-mariadb-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    found, data = MariaDb(free_port()), f"--datadir={directory / 'data'}"
    root = ["--user=root"] if os.geteuid() == 0 else []
    install = ["mariadb-install-db", "--no-defaults", data, "--skip-test-db", *root]
    install += ["--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, timeout=START_WITHIN_S, stdout=subprocess.DEVNULL)
    first = directory / "first.sql"
    first.write_text(
        "CREATE DATABASE drill;\n"
        f"CREATE USER {USER_OF_MARIADB}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL ON drill.* TO {USER_OF_MARIADB}@'127.0.0.1';\n"
    )
    command = [program, "--no-defaults", data, *root, f"--port={found.port}"]
    command += ["--bind-address=127.0.0.1", f"--socket={directory / 'socket'}"]
    command += [f"--init-file={first}", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.wait, START_WITHIN_S)
    atexit.register(process.kill)
    _wait(lambda: _connected(found.port), process)
    return found


def _connected(port: int) -> None:
    pymysql.connect(
        host="127.0.0.1", port=port, user=USER_OF_MARIADB, password=PASSWORD, database="drill"
    ).close()


def _wait(connect, process: subprocess.Popen[bytes]) -> None:  # type: ignore[no-untyped-def]
    ends = time.monotonic() + START_WITHIN_S
    while True:
        try:
            connect()
        except (psycopg.OperationalError, pymysql.Error):
            assert process.poll() is None, "the server ended at its start"
            assert time.monotonic() < ends, "the server did not start in time"
            time.sleep(0.05)
        else:
            return


__all__ = ["MariaDb", "Server", "mariadb", "server", "standby"]
