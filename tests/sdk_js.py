"""The AWS SDK for JavaScript, installed once by npm, as a program that makes calls."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from through import as_an_app

HERE = Path(__file__).parent / "proxies" / "sdk_js"
INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
# Seconds: npm fetches some hundred packages the first time.
INSTALLING, CALLING = 300, 120

needs_node = pytest.mark.skipif(
    shutil.which("npm") is None and not os.environ.get("CI"), reason="needs node and npm"
)


def installed() -> Path:
    """A directory with the program and its packages, made when these are asked for first."""
    files = sorted(HERE.iterdir())
    content = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chaos-tests"
    place = cache / f"sdk-js-{content}"
    if not place.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _install(files, cache, place)
    return place


def calls(endpoint: str, *wanted: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What comes of calls (service, command, input), in their order, by one program."""
    listed = [{"service": s, "command": c, "input": given} for s, c, given in wanted]
    done = subprocess.run(
        ["node", "calls.mjs"],
        cwd=installed(),
        env=as_an_app(endpoint),
        input=json.dumps(listed),
        capture_output=True,
        text=True,
        timeout=CALLING,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _install(files: list[Path], cache: Path, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as work:
        made = Path(work) / "sdk"
        made.mkdir()
        for file in files:
            shutil.copy(file, made)
        subprocess.run(INSTALL, cwd=made, check=True, capture_output=True, timeout=INSTALLING)
        if not place.is_dir():  # else somebody was faster
            made.rename(place)
