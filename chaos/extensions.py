"""Kinds that installed packages bring: found by their entry points, loaded when they are used.

A package that cannot be loaded, or whose kind is not what it says, spoils that kind and no other.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, get_args

from chaos.errors import InvalidInput

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Group = Literal["chaos.faults", "chaos.levers", "chaos.probes"]


def names(group: Group) -> list[str]:
    """The kinds that installed packages have of that group, in the order of the alphabet."""
    return sorted({entry.name for entry in _entries(group)})


def find(group: Group, kind: str) -> type[Any] | None:
    """The class that a package has for this kind; None when no package has one.

    Raises InvalidInput, with one sentence, when it cannot be loaded or is not what it says.
    """
    entries = [entry for entry in _entries(group) if entry.name == kind]
    if not entries:
        return None
    if len({entry.value for entry in entries}) > 1:
        both = " and ".join(sorted(map(_package, entries)))
        raise InvalidInput(f"the kind {kind!r} is brought by {both}; uninstall one of them")
    return _loaded(entries[0], group)


def package(group: Group, kind: str) -> str:
    """Which package brings the kind, such as `acme-chaos 1.2`; empty when none does."""
    found = {_distribution(entry) for entry in _entries(group) if entry.name == kind}
    return " and ".join(sorted(found))


@functools.cache
def _entries(group: Group) -> tuple[EntryPoint, ...]:
    """Looked up once: it reads what every installed package says of itself."""
    from importlib.metadata import entry_points  # costs more than the rest of `chaos --version`

    return tuple(entry_points(group=group))


def _loaded(entry: EntryPoint, group: Group) -> type[Any]:
    whose = f"the kind {entry.name!r} of {_package(entry)}"
    try:
        found = entry.load()
    # Importing it runs anybody's code, which may raise anything.
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise InvalidInput(f"{whose} cannot be loaded: {' '.join(why.split())}") from error
    if wrong := _wrong(found, entry.name, group):
        raise InvalidInput(f"{whose}: {entry.value} {wrong}")
    known: type[Any] = found
    return known


def _wrong(found: object, kind: str, group: Group) -> str:
    """In what it is not what its entry point says; empty when it is."""
    missing = [name for name in HAS[group] if not hasattr(found, name)]
    if missing or not isinstance(found, type):
        says = group.removeprefix("chaos.").removesuffix("s")
        return f"is no {says}: " + (f"it has no {missing[0]}" if missing else "it is no class")
    own = getattr(found, "kind", None) if group == "chaos.levers" else _literal(found)
    if own != kind:
        return f"says that its kind is {own!r}; entry point and class must agree"
    return ""


# By what a class of the group is known: a model or dataclass, its verbs, what it says of itself.
HAS: dict[Group, tuple[str, ...]] = {
    "chaos.faults": ("inject", "fidelity", "model_fields"),
    "chaos.levers": ("read", "set", "irreversible", "kind", "__dataclass_fields__"),
    "chaos.probes": ("check", "model_fields"),
}


def _literal(model: Any) -> object:
    """The one value that a model's field `kind` may have."""
    field = getattr(model, "model_fields", {}).get("kind")
    return next(iter(get_args(field.annotation)), None) if field else None


def _package(entry: EntryPoint) -> str:
    return f"the package {_distribution(entry)}" if entry.dist else entry.value


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
