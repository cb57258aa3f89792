"""Strict YAML files for pydantic models: all that is wrong is told at once, each with its place.

Each scalar means what the wanted type makes of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path as File
from typing import Any, TypeVar

from pydantic import BaseModel

from chaos.errors import InvalidInput, Located
from chaos.schema import reader, references, toml
from chaos.schema.checked import checked
from chaos.schema.kinds import by_kind, problem, problems, relayed
from chaos.schema.nodes import At, Mapping, Node, Path, Problem, Sequence, where
from chaos.schema.words import did_you_mean

__all__ = [
    "by_kind",
    "did_you_mean",
    "load",
    "loads",
    "loads_toml",
    "place",
    "problem",
    "problems",
    "read",
    "relayed",
    "where",
]

M = TypeVar("M", bound=BaseModel)
Fill = Callable[[Node, str], tuple[Node, list[Problem]]]

MOST = 100  # problems that are told of one file


def load(path: File, model: type[M], context: dict[str, Any] | None = None) -> M:
    """The instance of `model` that the file describes; raises InvalidInput with all problems.

    `context` is handed to the validators of the model, as pydantic does.
    """
    return loads(read(path), model, str(path), context)


def read(path: File) -> bytes:
    """What is in the regular file, up to a byte more than allowed; raises InvalidInput."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput(f"{path}: cannot be read: it is no regular file")
            return file.read(reader.LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"{path}: cannot be read: {why}") from error


def _at_once(path: str, flags: int) -> int:
    """Not to wait for whoever may write into a pipe one day."""
    return os.open(path, flags | os.O_NONBLOCK)


def loads(
    data: bytes,
    model: type[M],
    file: str,
    context: dict[str, Any] | None = None,
    fill: Fill = references.none,
) -> M:
    """The same as `load` for what was read from `file`.

    `fill` puts values in the place of `${references}`: it is given the root of the file and what
    that is called, and gives the root to decode and what is wrong.
    """
    root = model.__name__.lower()
    node, found = reader.read(data, root)
    instance = None
    if node is not None:
        node, wrong = fill(node, root)
        found += wrong
        instance, wrong = checked(node, model, root, context)
        found += wrong
    if instance is None or found:
        raise InvalidInput(*_told(found, file))
    return instance


def loads_toml(data: bytes, model: type[M], file: str, table: Path = ()) -> M | None:
    """The instance of `model` that a TOML file describes, in that table of it.

    None when there is no such table; raises InvalidInput with all problems.
    """
    root = ".".join(map(str, table)) or "the file"
    node, found = toml.read(data, root)
    for key in table:
        _, node = _entries(node).get(key, (None, None))
    if node is None and not found:
        return None
    instance = None
    if node is not None:
        instance, found = checked(node, model, root, None)
    if instance is None or found:
        raise InvalidInput(*_told(found, file))
    return instance


def place(data: bytes, path: Path) -> At:
    """Line and column at which that path stands in a file, or the last step to it that does."""
    node, _ = reader.read(data, "")
    at: At = (1, 1)
    for step in path:
        entries = _entries(node)
        if step not in entries:
            break
        at, node = entries[step]
    return at


def _entries(node: Node | None) -> dict[str | int, tuple[At, Node]]:
    if isinstance(node, Mapping):
        return {key.text: (key.at, value) for key, value in node.pairs}
    items = node.items if isinstance(node, Sequence) else ()
    return {number: (item.at, item) for number, item in enumerate(items)}


def _told(found: list[Problem], file: str) -> list[str]:
    ordered = sorted(set(found))
    told: list[str] = [Located(file, *p.at, p.where, p.what) for p in ordered[:MOST]]
    if len(ordered) > MOST:
        told.append(f"{file}: and {len(ordered) - MOST} more problems")
    return told
