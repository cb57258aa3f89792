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
    places = decoder.places
    found = [
        Problem(places[path].value, where(path, root), what) for path, what in decoder.problems
    ]
    try:
        return model.model_validate(value, context=context), found
    except ValidationError as error:
        for details in error.errors(include_url=False):
            found += _problems(details, places, root)
    return None, found


def _problems(error: ErrorDetails, places: dict[Path, Place], root: str) -> list[Problem]:
    """What the error says, unless its place was refused already."""
    path, beyond = _path(error["loc"], places)
    place = places[path]
    if place.broken:
        return []
    if error["type"] == "extra_forbidden":
        what = words(error, places[path[:-1]].known, "")
        return [Problem(place.key, where(path, root), what)]
    what = words(error, place.known, place.description)
    if beyond and error["type"] in ("missing", "chaos"):
        return [Problem(place.key, where((*path, beyond[-1]), root), what)]
    return [Problem(place.key if "[key]" in beyond else place.value, where(path, root), what)]


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
