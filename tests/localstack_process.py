"""A LocalStack of a test's own, started as a user starts it: by `localstack/start`.

Where it cannot be started, the tests that need it fail; they are skipped only where there is no
Python 3.13 for it, and not in CI.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

START = Path(__file__).parent.parent / "localstack" / "start"
# Of the wall: making the virtual environment takes a minute or two, starting some seconds.
START_WITHIN_S = 600
NO_PYTHON = "LocalStack needs Python 3.13, which is not found"
# With as little of the surroundings as a user may have, and none of another AWS.
KEPT = (
    *("HOME", "LANG", "PATH", "PYENV_ROOT", "LOCALSTACK_PYTHON", "LOCALSTACK_AUTH_TOKEN"),
    # Kinesis is installed by npm at its first call, which may have to be told whom to trust.
    "NODE_EXTRA_CA_CERTS",
)


@dataclass(frozen=True, slots=True)
class LocalStack:
    """One that listens on a port of its own; `directory` is where it keeps its files."""

    port: int
    directory: Path
    hooks: Path

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that serves; it leads a session of its own."""
        return int((self.directory / "pid").read_text())

    def start(self) -> None:
        """Return when it is ready and its hooks have run; raises with what `start` said."""
        done = self.run("--detach")
        assert done.returncode == 0, f"LocalStack cannot be started: {done.stderr}"

    start_again = start

    def kill(self) -> None:
        """As a machine that loses its power: at once, with all that it has started."""
        os.killpg(self.pid, signal.SIGKILL)
        self.run("--stop")  # returns when the lock is free, so that it can be started again

    def stop(self) -> None:
        """End it; that none runs is as well."""
        self.run("--stop")

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`localstack/start` with these arguments, for this port."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        own = {"LOCALSTACK_STATE": str(self.directory), "LOCALSTACK_INIT": str(self.hooks)}
        done = subprocess.run(
            [START, "--port", str(self.port), *arguments],
            env=kept | own | environment,
            capture_output=True,
            text=True,
            timeout=START_WITHIN_S,
            check=False,
        )
        if NO_PYTHON in done.stderr and not os.environ.get("CI"):
            pytest.skip("needs Python 3.13 for LocalStack")
        return done


def may_be_started() -> bool:
    """Whether there is a Python for it; it is installed then, which takes a minute or two."""
    done = subprocess.run(
        [START, "--install-only"],
        capture_output=True,
        text=True,
        timeout=START_WITHIN_S,
        check=False,
    )
    return NO_PYTHON not in done.stderr


def not_started(directory: Path, hooks: Path | None = None) -> LocalStack:
    """One on a free port, with these init hooks (None: without any), which has to be started."""
    if hooks is None:
        hooks = directory / "no-hooks"
        hooks.mkdir(parents=True)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return LocalStack(sock.getsockname()[1], directory / "state", hooks)


@contextmanager
def running(directory: Path, hooks: Path | None = None) -> Iterator[LocalStack]:
    """One that runs; it is ended afterwards."""
    it = not_started(directory, hooks)
    it.start()
    try:
        yield it
    finally:
        it.stop()
