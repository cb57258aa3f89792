"""Experiments are found by path, among the user's own, and in the shipped library."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos import library
from chaos.errors import InvalidInput

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("name: drill\n")
    return path


@pytest.mark.parametrize("name", ["drill", "drill.yaml"])
def test_a_path_comes_first_then_our_own_then_the_shipped(
    name: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "__file__", str(here / "lib/chaos/library.py"))
    beside = write(here / "lib/experiments/drill.yaml")
    assert library.find(name) == beside
    write(Path("experiments/drill.yaml"))
    assert library.find(name) == Path("experiments/drill.yaml")
    write(Path("drill.yaml"))
    assert library.find(name) == Path("drill.yaml")


def test_a_path_is_taken_as_it_is(here: Path) -> None:
    path = write(here / "drills/own")
    assert library.find(str(path)) == path
    assert library.find("drills/own") == Path("drills/own")


def test_what_has_a_directory_is_looked_for_nowhere_else() -> None:
    write(Path("experiments/drills/own.yaml"))
    with pytest.raises(InvalidInput) as caught:
        library.find("drills/own")
    assert str(caught.value) == ("drills/own: there is no such experiment; looked for drills/own")


def test_what_is_not_found_is_told_with_what_was_meant() -> None:
    write(Path("experiments/drill.yaml"))
    with pytest.raises(InvalidInput) as caught:
        library.find("dril.yaml")
    shipped = ROOT / "experiments/dril.yaml"
    assert str(caught.value) == (
        "dril.yaml: there is no such experiment;"
        f" looked for dril.yaml, experiments/dril.yaml, {shipped}; did you mean 'drill'?"
    )


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", ".", "..", "experiments", "", "/"])
def test_what_can_be_no_file_is_not_found(name: str) -> None:
    Path("experiments").mkdir()
    with pytest.raises(InvalidInput, match="there is no such experiment"):
        library.find(name)


def test_a_checkout_ships_what_lies_beside_the_package() -> None:
    names = [path.name for path in library.shipped()]
    assert {"region-outage.yaml", "instance-termination.yaml"} <= set(names)
    assert names == sorted(names)


def test_a_wheel_ships_what_lies_in_the_package(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "__file__", str(here / "lib/chaos/library.py"))
    inside = write(here / "lib/chaos/experiments/drill.yaml")
    write(here / "lib/experiments/other.yaml")
    assert library.shipped() == [inside]


def test_in_a_checkout_the_shipped_ones_are_not_our_own(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "__file__", str(here / "chaos/library.py"))
    path = write(Path("experiments/drill.yaml"))
    assert library.own() == []
    assert library.is_shipped(path)
    assert library.names() == ["drill"]
    monkeypatch.chdir(here.parent)
    assert not library.is_shipped(path)
