"""Tables of kinds: each class is imported when it is first asked for, since some cost a lot."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TypeVar

T = TypeVar("T")


class Kinds(MutableMapping[str, type[T]]):
    """Classes by kind, from a literal table that says where each is: `package.module:Class`."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._found: dict[str, str | type[T]] = dict(places)

    def __getitem__(self, kind: str) -> type[T]:
        found = self._found[kind]
        if isinstance(found, str):
            module, _, name = found.partition(":")
            found = self._found[kind] = getattr(importlib.import_module(module), name)
        return found

    def __setitem__(self, kind: str, found: type[T]) -> None:
        self._found[kind] = found

    def __delitem__(self, kind: str) -> None:
        del self._found[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._found  # the inherited way would import it

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
