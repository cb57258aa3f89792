"""`chaos exec` as a user calls it: a process, what it says, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHAOS = [sys.executable, "-m", "chaos", "exec"]
WITHIN_S = 120.0


@dataclass(frozen=True)
class Ended:
    """What a `chaos exec` printed, and its exit code."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Ours without anything of AWS or chaos."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CHAOS_"))}
    return {**own, **more}


def chaos_exec(
    *args: str,
    given: str = "",
    before: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    directory: Path | None = None,
) -> Ended:
    """Run it to its end, without a terminal; `before` is what starts it."""
    done = subprocess.run(
        [*before, *CHAOS, *args],
        input=given,
        capture_output=True,
        text=True,
        env=environment() if env is None else env,
        cwd=directory,
        start_new_session=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def python(program: str) -> tuple[str, ...]:
    """The command that runs it."""
    return ("--", sys.executable, "-c", program)
