"""What a command imports: start-up time is a feature, and imports are what it is made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chaos import __version__, library

CHAOS = ["-m", "chaos"]
# What validating an experiment has no use for. pydantic, click and PyYAML are what it is made of.
HEAVY = {
    "asyncio",
    "boto3",
    "botocore",
    "chaos.environments.attended",
    "chaos.environments.embedded",
    "chaos.lab.declaration",
    "chaos.levers.ec2",
    "chaos.report",
    "dns.message",
    "httptools",
    "rich",
    "tenacity",
}


def imported(*args: str, cwd: Path) -> set[str]:
    """The modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *CHAOS, *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_the_version_needs_nothing_but_itself(tmp_path: Path) -> None:
    modules = imported("--version", cwd=tmp_path)
    assert {name for name in modules if name.startswith("chaos")} == {"chaos"}
    assert not modules & {"click", "pydantic", "yaml", "traceback", "importlib.metadata"}


def test_validating_needs_neither_a_network_nor_a_lab(tmp_path: Path) -> None:
    path = library.find("region-outage").resolve()
    assert not imported("validate", str(path), cwd=tmp_path) & HEAVY


def test_the_version_for_a_reader_that_has_gone_is_no_verdict(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, *CHAOS, "--version"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_version_is_told_with_other_options_too(tmp_path: Path) -> None:
    for args in (["--version"], ["--version", "validate"]):
        done = subprocess.run(
            [sys.executable, *CHAOS, *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout == f"chaos, version {__version__}\n"
