"""A machine on which nothing of AWS is configured, and the doctor's questions about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.doctor import Asked, Finding
from chaos.environments import calls
from chaos.runs import Runs


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    calls._session.cache_clear()  # it has the credentials that it was made with
    yield
    calls._session.cache_clear()


def asked(tmp_path: Path, endpoint: str | None = None) -> Asked:
    return Asked(endpoint=endpoint, runs=Runs(tmp_path / "runs"))


def only(found: Any) -> Finding:
    (finding,) = found
    assert isinstance(finding, Finding)
    return finding
