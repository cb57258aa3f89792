"""What a YAML text says, before anybody knows what was wanted: nodes with their positions."""

from __future__ import annotations

import re
from collections.abc import Sequence as Many
from dataclasses import dataclass

At = tuple[int, int]  # line and column, both from 1
Path = tuple[str | int, ...]  # keys and indices from the root of the file

SHOWN = 60  # characters of the user's own text that a message repeats


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text as it was written; `plain` when it stood without quotes.

    `made_of` tells the values of the variables that stood in it, such as `${region} is 'x'`.
    """

    at: At
    text: str
    plain: bool
    made_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sequence:
    """Nodes in order."""

    at: At
    items: Many[Node]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and nodes, each key once."""

    at: At
    pairs: Many[tuple[Scalar, Node]]


@dataclass(frozen=True, slots=True)
class Broken:
    """Where something stood that was refused; nothing more is said about it."""

    at: At


Node = Scalar | Sequence | Mapping | Broken


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a file; they sort by their place in it."""

    at: At
    where: str
    what: str


def where(path: Path, root: str) -> str:
    """The path for people: `faults[0].region`; `root` stands for the whole file."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in path]
    return "".join(parts).removeprefix(".") or root


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]{1,60}", key) else quoted(key)


def quoted(value: object) -> str:
    """A value of the user's on one line and of bounded length."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    value = value if isinstance(value, str) else str(value)
    return repr(value if len(value) <= SHOWN else value[: SHOWN - 1] + "…")
