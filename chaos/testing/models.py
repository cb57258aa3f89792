"""What every fault and probe must say of itself, so that it can be listed, shown and validated."""

from __future__ import annotations

from textwrap import indent
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from chaos.errors import InvalidInput
from chaos.experiment import AnyFault, AnyProbe
from chaos.faults import Fault
from chaos.schema import loads
from chaos.testing.promise import must
from probes import Probe

K = TypeVar("K")


class _Faults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    faults: list[AnyFault]


class _Probes(BaseModel):
    model_config = ConfigDict(extra="forbid")
    probes: dict[str, AnyProbe]


def example_fault(kind: type[Fault]) -> Fault:
    """The fault of the kind's own example, read as from an experiment."""
    return _only(_read(kind, "faults", _Faults).faults, kind)


def example_probe(kind: type[Probe]) -> Probe:
    """The probe of the kind's own example, read as from an experiment."""
    return _only(list(_read(kind, "probes", _Probes).probes.values()), kind)


def check_words(kind: type[Fault | Probe], base: type[BaseModel]) -> None:
    """Its summary, its documentation, and what its parameters are said to mean."""
    name = kind.__name__
    must(bool(kind.summary) and "\n" not in kind.summary, f"{name} has no summary of one line")
    must(bool(vars(kind).get("__doc__")), f"{name} has no docstring to show to a user")
    for field, info in kind.model_fields.items():
        if field not in base.model_fields:
            must(bool(info.description), f"{name}.{field} has no description=")


def _read(kind: type[Any], part: str, model: type[Any]) -> Any:
    must(bool(kind.example.strip()), f"{kind.__name__} has no example")
    text = f"{part}:\n{indent(kind.example, '  ')}"
    try:
        return loads(text.encode(), model, f"the example of {kind.__name__}")
    except InvalidInput as error:
        raise AssertionError(str(error)) from error


def _only(found: list[Any], kind: type[K]) -> K:
    must(len(found) == 1, f"the example of {kind.__name__} has {len(found)} entries, not one")
    only = found[0]
    must(isinstance(only, kind), f"the example of {kind.__name__} is of the kind {only.kind}")
    mine: K = only
    return mine
