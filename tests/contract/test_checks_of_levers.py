"""The check of levers finds what is wrong: each lever here breaks one promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from chaos import levers
from chaos.environments.environment import Environment
from chaos.errors import JournalFailed
from chaos.loops import run_virtual
from chaos.testing import FakeEnvironment, check_lever, small_lab

STATES: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Valve:
    """Whether a valve is open; this one is as it should be."""

    kind: ClassVar[str] = "valve"
    irreversible: ClassVar[bool] = False

    name: str = "main"

    async def read(self, environment: Environment) -> Any:
        return STATES.get(self.name, "open")

    async def set(self, environment: Environment, value: Any) -> None:
        STATES[self.name] = value


class Undocumented(Valve):
    pass


@dataclass(kw_only=True)
class Loose:
    """No frozen dataclass."""

    kind: ClassVar[str] = "valve"
    irreversible: ClassVar[bool] = False
    read = Valve.read
    set = Valve.set

    name: str = "main"


@dataclass(frozen=True, kw_only=True)
class Labelled(Valve):
    """Its kind is a field, so another process reads it as a part of the state's name."""

    kind: str = "valve"  # type: ignore[misc]  # that is what is wrong


class Sticky(Valve):
    """Does not move."""

    async def set(self, environment: Environment, value: Any) -> None:
        pass


class Toggle(Valve):
    """Setting it twice is setting it back."""

    async def set(self, environment: Environment, value: Any) -> None:
        STATES[self.name] = "open" if STATES.get(self.name) == value else value


class Restless(Valve):
    """Reads something else each time."""

    async def read(self, environment: Environment) -> Any:
        STATES["reads"] = STATES.get("reads", 0) + 1
        return STATES["reads"]


class Opaque(Valve):
    """What it reads is nothing that a journal can hold."""

    async def read(self, environment: Environment) -> Any:
        return (STATES.get(self.name, "open"),)


class Meddler(Valve):
    """Changes something when it is read."""

    async def read(self, environment: Environment) -> Any:
        await environment.call("lab", "", "put_replication", region="us-east-1", state="on")
        return STATES.get(self.name, "open")


class Forgetful(Valve):
    """Cannot tell absent from empty."""

    async def set(self, environment: Environment, value: Any) -> None:
        STATES[self.name] = value or ""


class OneWay(Valve):
    """Says that nothing brings it back, and then it comes back."""

    irreversible: ClassVar[bool] = True


class Miscounting(Valve):
    """Has noticed what is no number."""

    async def noticed(self, environment: Environment) -> int:
        return -1


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Any]], None]:
    STATES.clear()
    return lambda lever: monkeypatch.setitem(levers.KINDS, "valve", lever)


def checked(lever: Any, *values: Any) -> None:
    run_virtual(check_lever(lever(), FakeEnvironment(small_lab()), *values))


def test_a_lever_that_keeps_its_promises(known: Callable[[type[Any]], None]) -> None:
    known(Valve)
    checked(Valve, "shut", "", None)
    assert STATES == {"main": "open"}


@pytest.mark.parametrize(
    ("lever", "said"),
    [
        (Undocumented, "Undocumented has no docstring"),
        (Loose, "is no frozen dataclass"),
        (Labelled, "Labelled: these two are ClassVar, no fields"),
        (Sticky, "was set to 'shut' but reads 'open'"),
        (Toggle, "was set to 'shut' but reads 'open'"),
        (Restless, "reads 1 and then 2"),
        (Opaque, "which is no JSON value"),
        (Meddler, "a read has called lab put_replication"),
        (Forgetful, "was set to None but reads ''"),
        (OneWay, "is irreversible and yet it was set back without an error"),
        (Miscounting, "has noticed -1"),
    ],
)
def test_a_lever_that_breaks_one(
    known: Callable[[type[Any]], None], lever: type[Any], said: str
) -> None:
    known(lever)
    with pytest.raises(AssertionError) as failed:
        checked(lever, "shut", None)
    assert said in str(failed.value)


def test_a_lever_that_another_process_would_not_find() -> None:
    with pytest.raises(JournalFailed, match="a lever that is not known here"):
        checked(Valve, "shut")


@pytest.mark.parametrize(
    ("values", "said"), [((), "give check_lever another value"), (("open",), "the same to a jour")]
)
def test_values_that_prove_nothing(
    known: Callable[[type[Any]], None], values: tuple[str, ...], said: str
) -> None:
    known(Valve)
    with pytest.raises(AssertionError, match=said):
        checked(Valve, *values)
