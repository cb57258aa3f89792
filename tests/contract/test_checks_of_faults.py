"""The check of faults finds what is wrong: each fault here breaks one promise."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from chaos import faults
from chaos.errors import InjectionFailed
from chaos.faults.fault import Fault, Fidelity, Look, Pull
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.lab import Reachability
from chaos.loops import run_virtual
from chaos.testing import FakeEnvironment, check_fault, check_fault_kind, small_lab

EXAMPLE = "- {kind: storm, lasts: 5s}"


class Storm(Fault):
    """A storm, as it should be."""

    summary: ClassVar[str] = "a storm"
    example: ClassVar[str] = EXAMPLE
    fidelity: ClassVar[dict[str, Fidelity]] = {"embedded": "lab"}

    kind: Literal["storm"] = "storm"
    region: str = Field(default="us-east-1", description="where it rages")

    async def inject(self, look: Look, pull: Pull) -> None:
        await pull(Reachability(scope=self.region), "drop")


class Nameless(Storm):
    """Says not what it is."""

    summary: ClassVar[str] = ""


class Undocumented(Storm):
    pass


class Undescribed(Storm):
    """One of its parameters has no description."""

    force: int = 12


class WithoutExample(Storm):
    """Has no example."""

    example: ClassVar[str] = ""


class WrongExample(Storm):
    """Its example is none."""

    example: ClassVar[str] = "- {kind: storm, regoin: us-east-1, lasts: 5s}"


class OthersExample(Storm):
    """Its example is of another kind."""

    example: ClassVar[str] = "- {kind: region_outage, region: us-east-1, lasts: 5s}"


class TwoExamples(Storm):
    """Has more than one example."""

    example: ClassVar[str] = f"{EXAMPLE}\n{EXAMPLE}"


class ForGood(Storm):
    """Nothing lifts it, and its example says when it is lifted."""

    one_way: ClassVar[bool] = True


class Nowhere(Storm):
    """Says nowhere how real it is."""

    fidelity: ClassVar[dict[str, Fidelity]] = {}


class Elsewhere(Storm):
    """Knows an environment that there is not."""

    fidelity: ClassVar[dict[str, Fidelity]] = {"azure": "real"}


class Exaggerating(Storm):
    """Says of itself what none can say."""

    fidelity: ClassVar[dict[str, Any]] = {"embedded": "very"}


class Idle(Storm):
    """Pulls nothing."""

    async def inject(self, look: Look, pull: Pull) -> None:
        pass


class Calm(Storm):
    """Pulls a lever to where it is."""

    async def inject(self, look: Look, pull: Pull) -> None:
        await pull(Reachability(scope=self.region), "open")


class Fickle(Storm):
    """Does something else than it has planned."""

    turns: ClassVar[Iterator[int]] = itertools.count()

    async def inject(self, look: Look, pull: Pull) -> None:
        await pull(Reachability(scope=f"us-east-{next(self.turns)}"), "drop")


class Sly(Storm):
    """Pulls what cannot be put back, and does not say so."""

    async def inject(self, look: Look, pull: Pull) -> None:
        await pull(InstanceTermination(region=self.region, instance="i-1"), True)


class Reckless(Storm):
    """Changes something itself."""

    async def inject(self, look: Look, pull: Pull) -> None:
        await look("lab", "", "put_reachability", scope=self.region, state="drop")


def checked(monkeypatch: pytest.MonkeyPatch, fault: type[Storm]) -> None:
    monkeypatch.setitem(faults.KINDS, "storm", fault)
    run_virtual(check_fault(fault(), FakeEnvironment(small_lab())))


def test_a_fault_that_keeps_its_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    checked(monkeypatch, Storm)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Nameless, "Nameless has no summary of one line"),
        (Undocumented, "Undocumented has no docstring"),
        (Undescribed, "Undescribed.force has no description="),
        (WithoutExample, "WithoutExample has no example"),
        (WrongExample, "faults[0].regoin: is not known here"),
        (OthersExample, "the example of OthersExample is of the kind region_outage"),
        (TwoExamples, "the example of TwoExamples has 2 entries, not one"),
        (ForGood, "ForGood: the example has a 'lasts', unless the fault is one-way"),
        (Nowhere, "Nowhere says of no environment how real it is there"),
        (Elsewhere, "there is no environment 'azure'"),
        (Exaggerating, "'very' is no fidelity"),
        (Idle, "storm would touch nothing here"),
        (Calm, "none of them to another value"),
        (Fickle, "and planned"),
        (Sly, "which is irreversible: it must be one_way"),
    ],
)
def test_a_fault_that_breaks_one(
    monkeypatch: pytest.MonkeyPatch, fault: type[Storm], said: str
) -> None:
    with pytest.raises(AssertionError) as failed:
        checked(monkeypatch, fault)
    assert said in str(failed.value)


def test_a_fault_that_changes_something_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InjectionFailed, match="a fault may only look"):
        checked(monkeypatch, Reckless)


def test_a_fault_whose_example_names_no_kind_that_is_found() -> None:
    with pytest.raises(AssertionError, match="there is no kind 'storm'"):
        check_fault_kind(Storm)
