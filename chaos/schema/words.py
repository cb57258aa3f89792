"""pydantic's errors in plain words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection
from typing import Any

from pydantic_core import ErrorDetails

from chaos.schema.nodes import quoted

# By pydantic's type of error; `{}` is what was written, names are of the error's context.
WORDS = {
    "bool_parsing": "{} is neither true nor false",
    "bool_type": "must be true or false, not {}",
    "dict_type": "must be a mapping, not {}",
    "float_parsing": "{} is no number",
    "float_type": "must be a number, not {}",
    "finite_number": "{} is no finite number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "{} is no whole number",
    "int_parsing": "{} is no whole number",
    "int_parsing_size": "{} is too large",
    "int_type": "must be a whole number, not {}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list, not {}",
    "missing": "is missing",
    "model_attributes_type": "must be a mapping, not {}",
    "model_type": "must be a mapping, not {}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_type": "must be text, not {}",
    "pattern_regex": "{} is no regular expression",
    "too_long": "must have at most {max_length} entries",
    "tuple_type": "must be a list, not {}",
}


def words(error: ErrorDetails, known: Collection[str], description: str) -> str:
    """What is wrong, in words: `known` are the keys that the mapping around it may have,
    `description` is what its field is said to mean."""
    if error["type"] == "extra_forbidden":
        return f"is not known here{did_you_mean(error['loc'][-1], known, tell=True)}"
    if error["input"] is None and error["type"] not in ("chaos", "missing"):
        return "is empty"
    if special := SPECIAL.get(error["type"]):
        return special(error["input"], error.get("ctx", {}), description)
    template = WORDS.get(error["type"])
    if template is None:
        return error["msg"][:1].lower() + error["msg"][1:]
    limits = {k: f"{v:g}" if isinstance(v, float) else v for k, v in error.get("ctx", {}).items()}
    return template.format(quoted(error["input"]), **limits)


def did_you_mean(word: object, known: Collection[str], *, tell: bool = False) -> str:
    """The hint `; did you mean 'x'?`, or nothing. With `tell`, all that is known instead."""
    near = difflib.get_close_matches(str(word)[:100].lower(), known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known are {', '.join(known)}" if tell and known else ""


def _raised(_: object, context: dict[str, Any], __: str) -> str:
    return " ".join(str(context["error"]).splitlines())


def _ours(_: object, context: dict[str, Any], __: str) -> str:
    return str(context["what"])


def _choice(value: object, context: dict[str, Any], _: str) -> str:
    choices = re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]]
    return f"{quoted(value)} is not one of {', '.join(choices)}{did_you_mean(value, choices)}"


def _pattern(value: object, context: dict[str, Any], description: str) -> str:
    return f"{quoted(value)} does not fit: {description or context['pattern']}"


def _too_short(_: object, context: dict[str, Any], __: str) -> str:
    least = context["min_length"]
    return f"must have at least {'one entry' if least == 1 else f'{least} entries'}"


SPECIAL: dict[str, Callable[[object, dict[str, Any], str], str]] = {
    "assertion_error": _raised,
    "chaos": _ours,
    "enum": _choice,
    "literal_error": _choice,
    "string_pattern_mismatch": _pattern,
    "too_short": _too_short,
    "value_error": _raised,
}
