"""The directory `localstack/`: nothing in it shadows LocalStack, and its compose file is sound."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
DIRECTORY = ROOT / "localstack"
HOOKS = sorted((DIRECTORY / "init").glob("*.d/*"))
SCRIPTS = [DIRECTORY / "start", *HOOKS]
OURS = {".venv", ".state"}  # what localstack/start makes there


def test_there_is_no_python_in_it() -> None:
    """A package of ours would take the place of LocalStack's own, which has the same name."""
    found = [p for p in DIRECTORY.rglob("*.py") if not OURS & {*p.relative_to(DIRECTORY).parts}]
    assert not found


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DIRECTORY / "compose.yaml").read_text())
    return document


def test_the_compose_file_has_one_service_and_a_pinned_image() -> None:
    (service,) = compose()["services"].values()
    chosen, _, pinned = service["image"].removeprefix("${").removesuffix("}").partition(":-")
    assert chosen == "LOCALSTACK_IMAGE"
    name, _, tag = pinned.partition(":")
    assert name == "localstack/localstack"
    assert len(tag.split(".")) == 3, "a tag such as latest is another one tomorrow"
    assert service["environment"]["LOCALSTACK_AUTH_TOKEN"].startswith("${LOCALSTACK_AUTH_TOKEN:-")


def test_it_listens_on_this_machine_alone() -> None:
    (service,) = compose()["services"].values()
    assert service["ports"] == ["127.0.0.1:${LOCALSTACK_PORT:-4566}:4566"]


def test_it_mounts_the_hooks_where_localstack_looks_for_them() -> None:
    (service,) = compose()["services"].values()
    (mount,) = service["volumes"]
    here, there, mode = mount.split(":")
    assert (there, mode) == ("/etc/localstack/init/ready.d", "ro")
    assert sorted((DIRECTORY / here).iterdir()) == HOOKS


def test_it_is_healthy_when_the_hooks_have_run() -> None:
    (service,) = compose()["services"].values()
    how, command = service["healthcheck"]["test"]
    assert how == "CMD-SHELL"
    assert "http://127.0.0.1:4566/_localstack/init/ready" in command


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run_and_stops_at_its_first_failure(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True, timeout=60)
    assert "\nset -euo pipefail\n" in script.read_text()


def test_the_requirements_are_pinned() -> None:
    lines = (DIRECTORY / "requirements.txt").read_text().splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines]
    assert all("==" in line for line in wanted if line)
    assert any(line.startswith("localstack-core[runtime]==") for line in wanted)
