"""A sample of each campaign against an account; docs/reliability.md has the full ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHIN_S = 600


def sample(*arguments: str) -> str:
    """Carry a campaign out in a process of its own, which forks; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "campaigns", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_killed_at_any_moment_nothing_is_left() -> None:
    assert "differences" in sample("kill", "--count", "12", "--seed", "5", "--jobs", "2")


def test_with_failing_calls_and_late_reads_nothing_is_left() -> None:
    assert "residues" in sample("failing", "--count", "6", "--seed", "5", "--jobs", "6")
