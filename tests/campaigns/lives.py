"""Runs of the tool as processes of their own, which can be killed at any moment.

They are forked off a process that has loaded everything already, so that a life of a second is a
second of work: after the fork each is a process like any other, with its own memory and sockets.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("autoscaling", "dynamodb", "ec2", "iam", "resourcegroupstaggingapi", "s3", "sts")
LONGEST_S = 600.0  # a life that lasts longer hangs, and that is a defect
PAGE = """
import http.server, sys, threading
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers()
        self.wfile.write(b'ok')
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
server.handle_error = lambda *_: None
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Life:
    """How one ended: its exit code, or that it was killed; and how long it took, in seconds."""

    code: int
    killed: bool
    took: float


def preload() -> None:
    """Load what every life needs: forking is cheap, importing is not."""
    import boto3.session  # noqa: F401
    import botocore.session  # noqa: F401

    import chaos.cli.orphans
    import chaos.cli.rollback
    import chaos.cli.run
    import chaos.drill
    import chaos.rollback  # noqa: F401
    from chaos.environments.credentials import base

    session = base("http://127.0.0.1:9", None)
    for service in SERVICES:
        session.create_client(service, region_name="us-east-1")


def live(arguments: Sequence[str], output: Path, *, kill_after: float | None = None) -> Life:
    """`chaos ARGUMENTS`, killed with SIGKILL after so many seconds, if it lives as long."""
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _be(arguments, output)
    deadline = began + (LONGEST_S if kill_after is None else kill_after)
    while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
            ended = os.waitpid(pid, 0)
            break
        time.sleep(0.002)
    took = time.monotonic() - began
    killed = os.WIFSIGNALED(ended[1])
    if killed and kill_after is None:
        raise AssertionError(f"chaos {' '.join(arguments)} hangs: see {output}")
    return Life(-1 if killed else os.waitstatus_to_exitcode(ended[1]), killed, took)


def _be(arguments: Sequence[str], output: Path) -> None:
    """Never returns: this process is the command now."""
    code = 70
    try:
        os.setsid()
        fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for ours, theirs in ((null, 0), (fd, 1), (fd, 2)):
            os.dup2(ours, theirs)
        random.seed()
        sys.argv = ["chaos", *arguments]
        code = _exit_code()
    finally:
        os._exit(code)


def _exit_code() -> int:
    from chaos.cli import main

    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # the life ends here, and tells why
        traceback.print_exc()
        return 71
    return 0


@contextmanager
def page() -> Iterator[str]:
    """A web page that is always well: its URL."""
    command = [sys.executable, "-c", PAGE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/"
        server.stdin.close()
