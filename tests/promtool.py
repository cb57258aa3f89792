"""promtool, Prometheus' own check of what is served to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None and not os.environ.get("CI"), reason="needs promtool"
)


def complaints(text: str) -> str:
    """What promtool has to say about metrics in the text format; empty when they are good."""
    done = _check("metrics", text=text)
    told = done.stdout + done.stderr
    return told or ("" if done.returncode == 0 else f"exit code {done.returncode}")


def rejects(rules: Path) -> str:
    """Why promtool does not take a file of rules; empty when it does."""
    done = _check("rules", str(rules))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _check(*args: str, text: str = "") -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None, "the metrics' test needs promtool: see .ci/run for how to get it"
    return subprocess.run(
        [PROMTOOL, "check", *args],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
