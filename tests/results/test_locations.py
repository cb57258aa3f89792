"""Where a history may be: what is no such place is refused before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.errors import InvalidInput
from chaos.results import located
from chaos.secrets import SECRETS


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("old/history.sqlite", "old/history.sqlite"),
        ("sqlite:history.sqlite", "history.sqlite"),
        ("sqlite:/srv/history.sqlite", "/srv/history.sqlite"),
        ("sqlite:///srv/history.sqlite", "/srv/history.sqlite"),
        ("postgresql", "postgresql"),
        ("none.sqlite", "none.sqlite"),
    ],
)
def test_a_file(given: str, path: str) -> None:
    found = located(given)
    assert found is not None
    assert (found.path, str(found)) == (Path(path), path)


def test_none() -> None:
    assert located("none") is None


def test_a_server_is_shown_without_its_password() -> None:
    found = located("postgresql://ci:hunter2-hunter2@db.example:5433/drills?sslmode=require")
    assert found is not None
    assert str(found) == "postgresql://ci@db.example:5433/drills"
    assert found.path is None
    assert SECRETS.mask("hunter2-hunter2") == "***"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("mysql://ci@db/drills", "mysql:// is no place for a history; give a file"),
        ("postgresql://ci@db", "postgresql://ci@db names no database"),
        ("postgresql://ci@db:port/drills", "no URL of PostgreSQL"),
        ("postgresql://ci@db/drills?password=hunter2", "a password stands in the URL's query"),
        ("sqlite:", "names no file"),
        ("", "names no file"),
    ],
)
def test_what_is_no_place_for_a_history(given: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=r"^--history: ") as told:
        located(given)
    assert why in str(told.value)
    assert "hunter2" not in str(told.value)


def test_without_the_driver_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.results.location.find_spec", lambda _: None)
    with pytest.raises(InvalidInput, match="pip install"):
        located("postgresql://ci@db/drills")
