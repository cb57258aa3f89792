"""The wheel is whole: installed alone, without the checkout, it runs the main job."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import chaos

ROOT = Path(__file__).parent.parent
BUILT_WITHIN_S = 300


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, as it would be published."""
    out = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out)]
    subprocess.run([*pip, str(ROOT)], check=True, timeout=BUILT_WITHIN_S)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_what_the_packages_need(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        *(f"chaos/experiments/{path.name}" for path in (ROOT / "experiments").glob("*.yaml")),
        *(
            str(path.relative_to(ROOT))
            for package in ("chaos", "probes")
            for path in (ROOT / package).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        ),
    }
    assert needed <= names
    strange = {name.split("/")[0] for name in names} - {"chaos", "probes"}
    assert all(name.endswith(".dist-info") for name in strange), strange


def test_installed_alone_it_runs_the_main_job(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    bin_ = tmp_path / "venv" / "bin"
    install = [str(bin_ / "python"), "-m", "pip", "install", "--quiet", f"{wheel}[lab]"]
    subprocess.run(install, check=True, timeout=BUILT_WITHIN_S)
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [str(bin_ / "chaos-drill"), "run", "region-outage.yaml", "--speed", "5"],
        cwd=work,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=BUILT_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HELD" in done.stdout
    assert {path.name for path in work.glob("chaos-runs/*/*")} >= {
        "journal.jsonl",
        "junit.xml",
        "report.html",
        "verdict.json",
    }


def test_the_version_is_told_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert chaos.__version__.count(".") == 2
