"""What rules in one line have in common: `key=value`, each key read in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from probes.durations import parse

# What is written before the `=`: the rule's key, and how its value is read.
Keys = Mapping[str, tuple[str, Callable[[str, str], Any]]]


def read(pairs: Iterable[tuple[str, str]], keys: Keys) -> dict[str, Any]:
    """What the pairs say, by the rule's own keys; raises ValueError."""
    rule: dict[str, Any] = {}
    for key, value in pairs:
        if key not in keys:
            raise ValueError(f"{key!r} is not known here; there is {', '.join(keys)}")
        name, read_value = keys[key]
        if name in rule:
            raise ValueError(f"{key}: is given twice")
        rule[name] = read_value(key, value)
    return rule


def list_of(_key: str, value: str) -> list[str]:
    """`a,b`."""
    return value.split(",")


def duration(key: str, value: str) -> float:
    """`200ms` in seconds; raises ValueError that begins with the key."""
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def in_our_words(problem: str, keys: Keys) -> tuple[str, str]:
    """The key as it is written in a line, and what is wrong with it: empty if it is no key's."""
    key, _, what = problem.partition(": ")
    return next((ours for ours, (theirs, _) in keys.items() if theirs == key), key), what
