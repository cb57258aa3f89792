"""JSON values: what is wrong with one that came, and how one is told in a message."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import JsonValue

SHOWN = 80  # characters


def differences(expected: JsonValue, found: JsonValue, where: str = "") -> Iterator[str]:
    """What of `expected` is not in `found`; what `found` has beyond it does not matter."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            inner = f"{where}.{key}" if where else key
            if key in found:
                yield from differences(value, found[key], inner)
            else:
                yield f"{inner} is not there"
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for n, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{where}[{n}]")
    elif not _same(expected, found):
        yield f"{where or 'it'} is {shown(found)}, not {shown(expected)}"


def shown(value: object) -> str:
    """The value as a person would write it, or its beginning when it is long."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _same(expected: JsonValue, found: JsonValue) -> bool:
    """Whether two scalars are the same as they are written: `5` is 5 and also "5"."""
    if isinstance(expected, (dict, list)) or isinstance(found, (dict, list)):
        return False
    return _written(expected) == _written(found)


def _written(value: JsonValue) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)
