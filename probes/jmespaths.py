"""JMESPath expressions: checked when they are written, applied to what came."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, JsonValue

from probes.probe import ProbeFailed


@lru_cache(maxsize=256)
def _compiled(query: str) -> Any:
    import jmespath

    return jmespath.compile(query)


def checked_query(query: str) -> str:
    """The expression; raises ValueError for what is none."""
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

    try:
        called = set(_functions(_compiled(query).parsed))
    except JMESPathError as error:
        # The library shows the place with a drawing of several lines.
        why = str(error).splitlines()[0].rstrip(":")
        raise ValueError(f"{query[:100]!r} is no JMESPath expression: {why}") from error
    if unknown := sorted(called - Functions.FUNCTION_TABLE.keys()):
        raise ValueError(f"JMESPath has no function {unknown[0]}()")
    return query


def _functions(node: dict[str, Any]) -> Iterator[str]:
    """The functions that a parsed expression calls; the library looks for them only then."""
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, dict):  # a slice has numbers
            yield from _functions(child)


def search(query: str, value: JsonValue) -> Any:
    """What the expression finds in the value; raises ProbeFailed when it cannot be applied."""
    from jmespath.exceptions import JMESPathError

    try:
        return _compiled(query).search(value)
    except JMESPathError as error:
        why = str(error).splitlines()[0]
        raise ProbeFailed(f"{query} cannot be applied to the answer: {why}") from error


Query = Annotated[str, AfterValidator(checked_query)]
