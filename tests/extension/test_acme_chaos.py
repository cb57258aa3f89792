"""A company's own lever, fault and probe, built as a package, installed, found, and put to work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ACME = Path(__file__).parents[2] / "docs" / "examples" / "acme-chaos"
WITHIN_S = 120.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for PYTHONPATH into which the package's wheel is installed."""
    dist, site = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--wheel-dir", str(dist), str(ACME)]
    subprocess.run(build, check=True, timeout=WITHIN_S)
    (wheel,) = dist.glob("*.whl")
    install = [*pip, "install", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, timeout=WITHIN_S)
    return site


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short name: unix sockets of the lab are made below it."""
    with tempfile.TemporaryDirectory(prefix="acme-") as name:
        yield Path(name)


@pytest.fixture
def flags() -> Iterator[str]:
    """The URL of a flag service that runs in a process of its own."""
    command = [sys.executable, str(ACME / "tests" / "flag_service.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        try:
            yield service.stdout.readline().strip()
        finally:
            service.kill()


def start(site: Path | None, place: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "chaos", *args],
        cwd=place,
        env={**os.environ, "TMPDIR": str(place), "PYTHONPATH": str(site or "")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def chaos(site: Path | None, place: Path, *args: str) -> tuple[int, str]:
    with start(site, place, *args) as command:
        told, _ = command.communicate(timeout=WITHIN_S)
    return command.returncode, told


def value(flags: str) -> Any:
    with urlopen(f"{flags}/flags/checkout", timeout=10) as answer:  # noqa: S310  # loopback, http
        return json.load(answer)["value"]


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("faults", "acme_flag_change"),
        ("probes", "acme_flag"),
        ("levers", "acme_flag"),
    ],
)
def test_the_kinds_are_listed(installed: Path, place: Path, what: str, line: str) -> None:
    code, told = chaos(installed, place, "list", what)
    assert (code, line in told) == (0, True), told
    code, told = chaos(None, place, "list", what)
    assert (code, line in told) == (0, False), told


def test_the_kinds_are_shown(installed: Path, place: Path) -> None:
    code, told = chaos(installed, place, "show", "acme_flag_change")
    assert code == 0, told
    assert "as a wrong click in the console does it" in told
    assert "acme-chaos 1.0" in told


def test_the_experiment_is_valid_only_where_the_package_is(installed: Path, place: Path) -> None:
    path = str(ACME / "checkout-flag.yaml")
    assert chaos(installed, place, "validate", path)[0] == 0
    code, told = chaos(None, place, "validate", path)
    assert code == 2
    assert "probes.checkout.kind: there is no kind 'acme_flag'" in told


def test_a_whole_run_with_it_is_held(installed: Path, place: Path, flags: str) -> None:
    path = str(ACME / "checkout-flag.yaml")
    code, told = chaos(installed, place, "run", path, "--var", f"flags={flags}")
    assert code == 0, told
    assert value(flags) is True
    (verdict,) = place.glob("chaos-runs/*/verdict.json")
    assert json.loads(verdict.read_text())["value"] == "held"


def test_after_kill_9_the_flag_is_put_back_by_the_packages_own_lever(
    installed: Path, place: Path, flags: str
) -> None:
    path = str(ACME / "checkout-flag.yaml")
    with start(installed, place, "run", path, "--var", f"flags={flags}") as run:
        until_switched_off(run, flags)
        run.kill()
    assert value(flags) is False  # a killed run puts nothing back

    code, told = chaos(None, place, "rollback", "latest")
    assert code == 4, told
    assert "a lever that is not known here" in told
    assert "install the package that it is from" in told

    code, told = chaos(installed, place, "rollback", "latest")
    assert code == 0, told
    assert value(flags) is True


def until_switched_off(run: subprocess.Popen[str], flags: str) -> None:
    end = time.monotonic() + WITHIN_S
    while value(flags) is True:
        assert run.poll() is None, "the run has ended without switching the flag off"
        assert time.monotonic() < end, "the run does not come to its fault"
        time.sleep(0.05)


def test_its_own_tests_pass(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=ACME,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
