"""Nodes to values that pydantic can decode, guided by the type that is wanted.

A scalar stays the text that it was written as, because pydantic knows whether `NO` is wanted as
text or as a truth value. Only where nothing in particular is wanted (`Any`, a JSON value) does the
text itself decide, by YAML 1.2's core rules. On the way, the place of everything is kept.
"""

from __future__ import annotations

import math
import re
import types
from collections import abc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo

from chaos.errors import InvalidInput
from chaos.schema.kinds import ByKind
from chaos.schema.nodes import At, Broken, Mapping, Node, Path, Scalar, Sequence, quoted

NULLS = {"", "~", "null", "Null", "NULL"}
BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
UNTYPED = (Any, object, JsonValue)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the file, and what is known of it.

    A mapping or list that has a key stands where the key does: its own first line is the next.
    """

    key: At
    value: At
    broken: bool
    known: tuple[str, ...]  # the keys that may stand in it, when it is for a model
    description: str = ""  # what its field is said to mean
    made_of: tuple[str, ...] = ()  # the values of variables in it


@dataclass(slots=True)
class Decoder:
    """Collects the places, and what cannot be decoded, while it walks down the nodes."""

    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[tuple[Path, str]] = field(default_factory=list)

    def decode(
        self, node: Node, wanted: Any, path: Path = (), key: At | None = None, description: str = ""
    ) -> Any:
        """The node's value for pydantic; `key` is the place of its key in a mapping."""
        arms = tuple(_arms(wanted))
        fields = _fields(arms, node) if isinstance(node, Mapping) else {}
        key = key or node.at
        self.places[path] = Place(
            key=key,
            value=key if isinstance(node, Mapping | Sequence) else node.at,
            broken=isinstance(node, Broken),
            known=tuple(fields),
            description=description,
            made_of=node.made_of if isinstance(node, Scalar) else (),
        )
        if isinstance(node, Broken):
            return None
        if isinstance(node, Scalar):
            return self._scalar(node, arms, path)
        if isinstance(node, Sequence):
            item = _inside(arms, abc.Collection, 0)
            return [self.decode(n, item, (*path, i)) for i, n in enumerate(node.items)]
        return {k.text: self._entry(k, n, arms, fields, path) for k, n in node.pairs}

    def _entry(
        self,
        key: Scalar,
        node: Node,
        arms: tuple[Any, ...],
        fields: dict[str, FieldInfo],
        path: Path,
    ) -> Any:
        path = (*path, key.text)
        if info := fields.get(key.text):
            description = info.description or ""
            return self.decode(node, info.rebuild_annotation(), path, key.at, description)
        return self.decode(node, _inside(arms, abc.Mapping, 1), path, key.at)

    def _scalar(self, node: Scalar, arms: tuple[Any, ...], path: Path) -> Any:
        if not node.plain:
            return node.text
        if node.text in NULLS:
            return None
        if not any(arm in UNTYPED for arm in arms):
            return node.text
        try:
            return core(node.text)
        except (ValueError, OverflowError):
            self.problems.append((path, f"{quoted(node.text)} is too large a number"))
            return None


def core(text: str) -> Any:
    """A plain scalar by the core rules of YAML 1.2.2 §10.3.2, as far as JSON has the value.

    Raises ValueError or OverflowError for a number that is too large.
    """
    if text in BOOLS:
        return BOOLS[text]
    if INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise OverflowError(text)
        return number
    return text


def _arms(wanted: Any) -> Iterator[Any]:
    """The types that may be given for `wanted`: no unions, aliases or annotations are left."""
    origin = get_origin(wanted)
    if origin is Annotated:
        base, *metadata = get_args(wanted)
        yield from [m for m in metadata if isinstance(m, ByKind)] or _arms(base)
    elif origin in (Union, types.UnionType):
        for arm in get_args(wanted):
            yield from _arms(arm)
    else:
        yield wanted


def _fields(arms: tuple[Any, ...], node: Mapping) -> dict[str, FieldInfo]:
    """The fields of the model that the mapping is for, by the name that a file gives them."""
    for arm in arms:
        model = _of_its_kind(arm, node) if isinstance(arm, ByKind) else arm
        if isinstance(model, type) and issubclass(model, BaseModel):
            return {info.alias or name: info for name, info in model.model_fields.items()}
    return {}


def _of_its_kind(arm: ByKind, node: Mapping) -> type[BaseModel] | None:
    try:
        return arm.model(_kind(node))
    except InvalidInput:
        return None  # why it cannot be loaded is told when pydantic decodes it


def _kind(node: Mapping) -> str | None:
    return next((n.text for k, n in node.pairs if k.text == "kind" and isinstance(n, Scalar)), None)


def _inside(arms: tuple[Any, ...], container: type, argument: int) -> Any:
    """What is wanted inside the container that an arm stands for; anything when none does."""
    for arm in arms:
        origin = get_origin(arm)
        if isinstance(origin, type) and issubclass(origin, container):
            return get_args(arm)[argument]
    return Any
