"""Kinds of installed packages: found, loaded when used, and told apart when one is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos import extensions
from chaos.errors import InvalidInput, JournalFailed
from chaos.levers import from_json

Install = Callable[..., None]
GROUPS: tuple[extensions.Group, ...] = ("chaos.faults", "chaos.levers", "chaos.probes")

MODULE = """
from dataclasses import dataclass
from typing import ClassVar, Literal
from probes.probe import Probe
from chaos.faults.fault import Fault

@dataclass(frozen=True)
class Valve:
    kind: ClassVar[str] = "PACKAGE"
    irreversible: ClassVar[bool] = False
    pipe: str
    async def read(self, environment): ...
    async def set(self, environment, value): ...

class Leak(Fault):
    kind: Literal["PACKAGE"]

class Gauge(Probe):
    kind: Literal["PACKAGE"]

class Nothing:
    kind = "PACKAGE"

number = 5
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package that brings one class, as a kind of the package's own name."""

    def put(package: str, group: str, found: str, kind: str = "", code: str = MODULE) -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            f"[{group}]\n{kind or package} = {package}:{found}\n"
        )
        (tmp_path / f"{package}.py").write_text(code.replace("PACKAGE", package))
        extensions._entries.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    yield put
    extensions._entries.cache_clear()


@pytest.mark.parametrize(
    ("group", "found"),
    [("chaos.faults", "Leak"), ("chaos.levers", "Valve"), ("chaos.probes", "Gauge")],
)
def test_what_a_package_brings_is_found(
    install: Install, group: extensions.Group, found: str
) -> None:
    name = f"acme_{found.lower()}"
    install(name, group, found)
    assert name in extensions.names(group)
    assert getattr(extensions.find(group, name), "__name__", None) == found
    assert extensions.package(group, name) == f"{name} 1.0"
    for other in set(GROUPS) - {group}:
        assert name not in extensions.names(other)
        assert extensions.find(other, name) is None


@pytest.mark.parametrize(
    ("name", "group", "found", "said"),
    [
        ("bad_a", "chaos.levers", "Pump", "cannot be loaded: AttributeError: module 'bad_a' has"),
        ("bad_b", "chaos.levers", "number", "bad_b:number is no lever: it has no read"),
        ("bad_c", "chaos.levers", "Nothing", "bad_c:Nothing is no lever: it has no read"),
        ("bad_d", "chaos.faults", "Gauge", "bad_d:Gauge is no fault: it has no inject"),
        ("bad_e", "chaos.probes", "Leak", "bad_e:Leak is no probe: it has no check"),
        ("bad_f", "chaos.probes", "Nothing", "bad_f:Nothing is no probe: it has no check"),
    ],
)
def test_what_is_not_what_it_says_is_told_in_one_sentence(
    install: Install, name: str, group: extensions.Group, found: str, said: str
) -> None:
    install(name, group, found)
    install(f"good_{name}", "chaos.probes", "Gauge")
    with pytest.raises(InvalidInput) as refused:
        extensions.find(group, name)
    assert str(refused.value).startswith(f"the kind '{name}' of the package {name} 1.0")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert extensions.find("chaos.probes", f"good_{name}")  # and spoils no other


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("worse_a", "import geometry", "ModuleNotFoundError: No module named 'geometry'"),
        ("worse_b", "class Valve(:", "SyntaxError: invalid syntax"),
        ("worse_c", "raise RuntimeError('a\\nb')", "RuntimeError: a b"),
    ],
)
def test_what_cannot_be_imported_is_told_in_one_sentence(
    install: Install, name: str, code: str, said: str
) -> None:
    install(name, "chaos.levers", "Valve", code=code)
    with pytest.raises(InvalidInput) as refused:
        extensions.find("chaos.levers", name)
    assert f"the package {name} 1.0 cannot be loaded: {said}" in str(refused.value)
    with pytest.raises(JournalFailed, match="cannot be loaded"):
        from_json({"kind": name, "pipe": "main"})


@pytest.mark.parametrize(("group", "found"), [("chaos.levers", "Valve"), ("chaos.probes", "Gauge")])
def test_a_kind_under_another_name_is_refused(
    install: Install, group: extensions.Group, found: str
) -> None:
    install(f"alias_{found}", group, found, kind="other")
    with pytest.raises(InvalidInput, match=f"says that its kind is 'alias_{found}'"):
        extensions.find(group, "other")


def test_a_kind_that_two_packages_bring_is_refused(install: Install) -> None:
    install("first", "chaos.probes", "Gauge", kind="gauge")
    install("second", "chaos.probes", "Gauge", kind="gauge")
    with pytest.raises(InvalidInput, match=r"first 1\.0 and the package second 1\.0; uninstall"):
        extensions.find("chaos.probes", "gauge")
    assert extensions.package("chaos.probes", "gauge") == "first 1.0 and second 1.0"


def test_a_lever_of_a_package_comes_back_from_a_journal(install: Install) -> None:
    install("tank", "chaos.levers", "Valve")
    lever = from_json({"kind": "tank", "pipe": "main"})
    assert (lever.kind, getattr(lever, "pipe", "")) == ("tank", "main")
    with pytest.raises(JournalFailed, match="a lever that is not known here"):
        from_json({"kind": "tank", "tube": "main"})


def test_a_lever_whose_package_is_not_here() -> None:
    with pytest.raises(JournalFailed, match="install the package that it is from"):
        from_json({"kind": "nowhere", "pipe": "main"})
