"""The tool's own way to the account, made bad: late reads, throttling, errors, lost answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STALE_FOR_S = 3.0
STALE_SHARE = 0.3
RULES = (
    ": error 503 RequestLimitExceeded p=0.3",
    ": error 500 InternalError p=0.1",
    ": reset p=0.02",
    ": reset forward p=0.03",  # it was done, and nobody was told
    ": error 500 InternalError forward p=0.02",
    ": hang p=0.002",
)


@contextmanager
def stale_reads(port: int) -> Iterator[int]:
    """A door to the account at that port, whose reads are late: its port."""
    command = [sys.executable, "-m", "campaigns.stale", str(port)]
    command += [str(STALE_FOR_S), str(STALE_SHARE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


@contextmanager
def failing_calls(port: int) -> Iterator[str]:
    """A door to what answers at that port, where calls fail as RULES say: its URL."""
    command = [sys.executable, "-m", "chaos", "proxy", "--port", "0", "--json"]
    command += ["--upstream", f"http://127.0.0.1:{port}"]
    command += [word for rule in RULES for word in ("--rule", rule)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["endpoint"]
        process.terminate()
