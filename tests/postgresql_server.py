"""A PostgreSQL of the tests' own, from Debian's package: one process, started when first asked for.

It listens on an ephemeral port of loopback, asks for a password, and is gone with the tests.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

NOBODY = "nobody"  # as root it refuses to run
USER, PASSWORD = "chaos", "s3cret-of-the-database"  # of a server that nobody else sees
START_WITHIN_S = 60.0
NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs; `url` is a database's, with or without the password."""

    port: int

    def url(self, database: str, password: str | None = PASSWORD) -> str:
        secret = f":{password}" if password is not None else ""
        return f"postgresql://{USER}{secret}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """The name of a new and empty one."""
        name = f"tests_{next(NUMBERS)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return name


def programs() -> Path:
    """Where `initdb` and `postgres` are, which Debian keeps off the path; the newest ones."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert found, "tests of PostgreSQL need its server: apt-get install postgresql"
    return found[-1].parent


@cache
def server() -> Server:
    """The one of these tests; each of them takes a database of its own."""
    directory = Path(tempfile.mkdtemp(prefix="chaos-postgresql-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    as_user = {"user": NOBODY} if os.geteuid() == 0 else {}
    if as_user:
        shutil.chown(directory, NOBODY)
    secret = directory / "password"
    secret.write_text(PASSWORD)
    initdb: list[str | Path] = [programs() / "initdb", "--pgdata", directory / "data"]
    initdb += [
        "--username",
        USER,
        "--pwfile",
        secret,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-sync",
    ]
    run: dict[str, Any] = {"cwd": directory, "stdout": subprocess.DEVNULL, **as_user}
    subprocess.run(initdb, check=True, timeout=START_WITHIN_S, **run)
    found = Server(_free_port())
    settings = {"listen_addresses": "127.0.0.1", "port": found.port, "fsync": "off"}
    settings |= {"unix_socket_directories": "", "logging_collector": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    process = subprocess.Popen(
        [programs() / "postgres", "-D", directory / "data", *options],
        stderr=subprocess.DEVNULL,
        **run,
    )
    atexit.register(_stop, process)
    _wait(found, process)
    return found


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
    process.wait(START_WITHIN_S)


def _wait(found: Server, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + START_WITHIN_S
    while True:
        try:
            psycopg.connect(found.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL ended at its start"
            assert time.monotonic() < ends, "PostgreSQL did not start in time"
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
