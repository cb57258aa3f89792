"""The values of an AWS API rule's keys, read strictly.

Each function takes a key's name and its value as JSON, and returns the value as a rule keeps it or
raises ValueError that begins with the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

# Seconds, bytes per second, calls: beyond it a number can only be a mistake.
LARGEST = 10**12
LONGEST_TEXT = 8192  # characters, as in LocalStack's chaos API
HALF = re.compile(r"[\ud800-\udfff]")  # of a surrogate pair, which JSON can have and UTF-8 cannot
# It becomes a header's value and an XML element's text; a '#' would be read as a namespace.
CODE = re.compile(r"[A-Za-z0-9._:-]{1,200}")


def names(name: str, value: Any) -> tuple[str, ...]:
    """A list of names, one or more."""
    good = isinstance(value, list) and value and all(isinstance(n, str) and n for n in value)
    if not good or not all(n.isprintable() for n in value):
        raise ValueError(f"{name}: must be a list of names, not {value!r}")
    return tuple(value)


def one_of(words: tuple[str, ...]) -> Callable[[str, Any], Any]:
    """One of those words."""

    def check(name: str, value: Any) -> Any:
        if value not in words:
            raise ValueError(f"{name}: must be one of {', '.join(words)}, not {value!r}")
        return value

    return check


def status(name: str, value: Any) -> int:
    """The HTTP status of an error."""
    if type(value) is not int or not 400 <= value <= 599:
        raise ValueError(f"{name}: must be a number from 400 to 599, not {value!r}")
    return value


def code(name: str, value: Any) -> str:
    """The code of an error."""
    if not isinstance(value, str) or not CODE.fullmatch(value):
        raise ValueError(f"{name}: must be an error code such as Throttling, not {value!r}")
    return value


def text(name: str, value: Any) -> str:
    """A text of one line, which can be written in any protocol."""
    if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST_TEXT:
        raise ValueError(
            f"{name}: must be one line of text, of {LONGEST_TEXT} characters at most, not {value!r}"
        )
    return value


def note(name: str, value: Any) -> str:
    """A text for people, which goes nowhere else."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or HALF.search(value):
        raise ValueError(f"{name}: must be a text of {LONGEST_TEXT} characters at most")
    return value


def flag(name: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}: must be true or false, not {value!r}")  # noqa: TRY004  # one error for all
    return value


def number(unit: str, *, least: float = 0, above: bool = False) -> Callable[[str, Any], float]:
    """A finite number of that unit: from `least`, or `above` it."""

    def check(name: str, value: Any) -> float:
        fits = type(value) in (int, float) and (value > least if above else value >= least)
        if not fits or value > LARGEST:  # a NaN fits nothing
            bound = f"above {least}" if above else f"from {least}"
            raise ValueError(f"{name}: must be a number of {unit} {bound}, not {value!r}")
        return float(value)

    return check


def whole(least: int) -> Callable[[str, Any], int]:
    """A whole number from `least`."""

    def check(name: str, value: Any) -> int:
        if type(value) is not int or not least <= value <= LARGEST:
            raise ValueError(f"{name}: must be a whole number from {least}, not {value!r}")
        return value

    return check


def share(name: str, value: Any) -> float:
    """A probability."""
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError(f"{name}: must be a number from 0 to 1, not {value!r}")
    return float(value)


def offsets(name: str, value: Any) -> tuple[float, ...]:
    """Seconds at which something goes on and off in turn; the last may be missing."""
    good = isinstance(value, list) and value and all(map(_seconds, value))
    if not good or any(earlier >= later for earlier, later in pairwise(value)):
        raise ValueError(
            f"{name}: must be a list of seconds, each later than the one before: on, off, on, …;"
            f" not {value!r}"
        )
    return tuple(float(n) for n in value)


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= LARGEST
