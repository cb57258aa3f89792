"""Nodes to the instance of a model, or to all that pydantic has against them, each at its place."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chaos.schema.decode import Decoder, Place
from chaos.schema.nodes import Node, Path, Problem, where
from chaos.schema.words import words

M = TypeVar("M", bound=BaseModel)


def checked(
    node: Node, model: type[M], root: str, context: dict[str, Any] | None
) -> tuple[M | None, list[Problem]]:
    """The instance, or None and at least one problem; `root` names the whole file."""
    decoder = Decoder()
    value = decoder.decode(node, model)
    reasons = _Reasons(decoder.places, root)
    found = [reasons.problem(path, what) for path, what in decoder.problems]
    try:
        return model.model_validate(value, context=context), found
    except ValidationError as error:
        for details in error.errors(include_url=False):
            found += reasons.problems(details)
    return None, found


class _Reasons:
    """Gives errors their places, and says which values of variables they may come from."""

    def __init__(self, places: dict[Path, Place], root: str) -> None:
        self._places = places
        self._root = root
        self._made_of: dict[Path, dict[str, None]] = {}
        for path, place in places.items():
            for end in range(1, len(path) + 1) if place.made_of else ():
                self._made_of.setdefault(path[:end], {}).update(dict.fromkeys(place.made_of))

    def problem(self, path: Path, what: str) -> Problem:
        """What is wrong with the value at the path."""
        made_of = ", ".join(self._made_of.get(path, ()))
        what = f"{what} ({made_of})" if made_of else what
        return Problem(self._places[path].value, where(path, self._root), what)

    def problems(self, error: ErrorDetails) -> list[Problem]:
        """What the error says, unless its place was refused already."""
        path, beyond = _path(error["loc"], self._places)
        place = self._places[path]
        if place.broken or (error["type"] == "value_error" and self._broken_below(path)):
            return []
        if error["type"] == "extra_forbidden":
            what = words(error, self._places[path[:-1]].known, "")
            return [Problem(place.key, where(path, self._root), what)]
        what = words(error, place.known, place.description)
        if beyond and error["type"] in ("missing", "chaos"):
            return [Problem(place.key, where((*path, beyond[-1]), self._root), what)]
        if "[key]" in beyond:
            return [Problem(place.key, where(path, self._root), what)]
        return [self.problem(path, what)]

    def _broken_below(self, path: Path) -> bool:
        """Whether the whole was checked without a part of it that was refused already."""
        return any(p.broken and at[: len(path)] == path for at, p in self._places.items())


def _path(loc: Path, places: dict[Path, Place]) -> tuple[Path, Path]:
    """The path in the file that pydantic's location means, and what does not stand in the file.

    pydantic names the arms of unions on the way (`list[int]`), which are in no file.
    """
    path: Path = ()
    beyond: Path = ()
    for step in loc:
        if (*path, step) in places:
            path, beyond = (*path, step), ()
        else:
            beyond = (*beyond, step)
    return path, beyond
