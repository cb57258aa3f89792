"""A body of 1 GiB passes the AWS API proxy in either direction, and its memory stays flat."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 2**30
MOST_GROWTH = 32 * 2**20
DEADLINE_S = 120.0
BLOCK = bytes(2**20)
TESTS = Path(__file__).parents[1]


def pour(sock: socket.socket, head: bytes) -> None:
    sock.sendall(head)
    for _ in range(SIZE // len(BLOCK)):
        sock.sendall(BLOCK)


def drink(sock: socket.socket) -> int:
    """Read a message with a body of SIZE; how much of it came."""
    data, buffer = b"", bytearray(2**20)
    while b"\r\n\r\n" not in data:
        data += sock.recv(2**16)
    came = len(data.partition(b"\r\n\r\n")[2])
    while came < SIZE and (n := sock.recv_into(buffer)):
        came += n
    return came


def takes(sock: socket.socket) -> None:
    came = drink(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n%010d" % came)


def gives(sock: socket.socket) -> None:
    sock.recv(2**16)
    pour(sock, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)


@contextmanager
def upstream(play: Callable[[socket.socket], None]) -> Iterator[int]:
    """Plays with its first connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE_S)

        def serve() -> None:
            sock, _ = server.accept()
            with sock:
                sock.settimeout(DEADLINE_S)
                play(sock)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@contextmanager
def proxy(port: int, rules: int) -> Iterator[tuple[int, int]]:
    """In a process of its own; its port and process id."""
    command = [sys.executable, "-m", "benchmarks.api_proxy_server", str(port), str(rules)]
    env = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().split()[0]), process.pid
        finally:
            process.kill()


def peak(pid: int) -> int:
    """The most memory that a process has held so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize("upwards", [True, False], ids=["up", "down"])
def test_1_gib_passes_and_is_never_held(upwards: bool) -> None:
    with (
        upstream(takes if upwards else gives) as there,
        proxy(there, rules=1) as (port, pid),
        socket.create_connection(("127.0.0.1", port), DEADLINE_S) as client,
    ):
        before = peak(pid)
        if upwards:
            pour(client, b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % SIZE)
            assert client.recv(2**16).endswith(b"%010d" % SIZE)
        else:
            client.sendall(b"GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n")
            assert drink(client) == SIZE
        assert peak(pid) - before < MOST_GROWTH
