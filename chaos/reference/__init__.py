"""What every kind of fault, probe and lever is and takes, as its own class tells it.

`chaos show` prints this and docs/ has it, so that neither can say what the code does not.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import ModuleType
from typing import Any, Literal, get_args

from pydantic import BaseModel

import probes
from chaos import extensions, faults, levers
from chaos.environments import KINDS as ENVIRONMENTS
from chaos.errors import InvalidInput
from chaos.reference.parameters import Parameter, parameters

__all__ = ["FAMILIES", "Family", "Kind", "Parameter", "find", "kinds", "names", "parameters"]

Family = Literal["fault", "probe", "lever"]


@dataclass(frozen=True, slots=True)
class _Family:
    group: extensions.Group
    table: Callable[[], Mapping[str, type[Any]]]
    base: type[BaseModel] | None


FAMILIES: dict[Family, _Family] = {
    "fault": _Family("chaos.faults", lambda: faults.KINDS, faults.Fault),
    "probe": _Family("chaos.probes", lambda: probes.KINDS, probes.Probe),
    "lever": _Family("chaos.levers", lambda: levers.KINDS, None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `package` brings it, with its version; it is empty for those of chaos itself.

    `parameters` are its own, `common` those that every kind of its family has, as this one has
    them. A lever is `known_by` what says which piece of state it is.
    """

    family: Family
    kind: str
    summary: str = ""
    text: str = ""
    package: str = ""
    problem: str = ""  # why its package cannot be used
    parameters: tuple[Parameter, ...] = ()
    common: tuple[Parameter, ...] = ()
    without: dict[str, str] = field(default_factory=dict)  # those of its family it lacks, and why
    known_by: tuple[str, ...] = ()
    fidelity: dict[str, str] = field(default_factory=dict)  # of a fault, by environment
    levers: tuple[str, ...] = ()  # that a fault can pull
    to_allow: tuple[str, ...] = ()  # what cannot be put back, by the name to allow it by
    example: str = ""


def names(family: Family) -> list[str]:
    """The kinds of a family: those of chaos, then those of installed packages."""
    of = FAMILIES[family]
    return list(dict.fromkeys([*of.table(), *extensions.names(of.group)]))


def kinds(family: Family) -> list[Kind]:
    """All kinds of a family; one whose package cannot be used says so in `problem`."""
    return [_described_or_broken(family, name) for name in names(family)]


def _described_or_broken(family: Family, name: str) -> Kind:
    try:
        return describe(family, name)
    except InvalidInput as error:
        package = extensions.package(FAMILIES[family].group, name)
        return Kind(family=family, kind=name, package=package, problem=str(error))


def find(name: str) -> list[Kind]:
    """What has that name, if anything: a fault and a lever may share one.

    Raises InvalidInput when the package that brings it cannot be used.
    """
    return [describe(family, name) for family in FAMILIES if name in names(family)]


def describe(family: Family, kind: str) -> Kind:
    """That kind; raises KeyError for none, InvalidInput when its package cannot be used."""
    of = FAMILIES[family]
    ours = of.table().get(kind)
    cls = ours or extensions.find(of.group, kind)
    if cls is None:
        raise KeyError(kind)
    text = inspect.cleandoc(cls.__doc__ or "")
    return Kind(
        family=family,
        kind=kind,
        summary=getattr(cls, "summary", "") or text.partition("\n")[0],
        text=text,
        package="" if ours else extensions.package(of.group, kind),
        example=textwrap.dedent(getattr(cls, "example", "")).strip("\n"),
        **(_of_lever(cls) if of.base is None else _of_model(cls, of.base)),
    )


def _of_lever(cls: type[Any]) -> dict[str, Any]:
    known_by = tuple(part.name for part in fields(cls))
    return {"known_by": known_by, "to_allow": (cls.kind,) if cls.irreversible else ()}


def _of_model(cls: type[Any], base: type[BaseModel]) -> dict[str, Any]:
    own = [p for p in parameters(cls, but=base) if p.name != "kind"]
    without = dict(getattr(cls, "without", {}))
    told = {"kind", *(p.name for p in own), *without}
    common = [p for p in parameters(base) if p.name not in told]
    found: dict[str, Any] = {"parameters": tuple(own), "common": tuple(common), "without": without}
    return found | (_of_fault(cls, common) if issubclass(cls, faults.Fault) else {})


def _of_fault(cls: type[faults.Fault], common: list[Parameter]) -> dict[str, Any]:
    own = _modules(cls)
    # An experiment demands it of a fault that can be lifted, and refuses it of one that cannot.
    lasts = [replace(p, required=True) for p in common if p.name == "lasts" and not cls.one_way]
    pulled = {lever.kind for lever in _levers(own)} | set(cls.account_levers)
    # What a recipe for accounts does for good it does when it is asked to: the fault's text tells.
    one_way = {lever.kind for lever in _levers(own) if lever.irreversible}
    name = get_args(cls.model_fields["kind"].annotation)[0]
    return {
        "common": (*(p for p in common if p.name != "lasts"), *lasts),
        "fidelity": {where: cls.fidelity.get(where, "unsupported") for where in ENVIRONMENTS},
        "levers": tuple(sorted(pulled)),
        "to_allow": tuple(sorted(one_way | ({name} if cls.one_way else set()))),
    }


def _modules(fault: type[faults.Fault]) -> set[ModuleType]:
    """The file of a fault, and its parents' files."""
    found = (inspect.getmodule(cls) for cls in fault.__mro__ if issubclass(cls, faults.Fault))
    return {module for module in found if module}


def _levers(modules: Iterable[ModuleType]) -> set[type[Any]]:
    """The levers that a fault can pull: those that these files import."""
    return {value for module in modules for value in vars(module).values() if _is_lever(value)}


def _is_lever(value: object) -> bool:
    has = ("kind", "irreversible", "read", "set")
    return isinstance(value, type) and all(hasattr(value, name) for name in has)
