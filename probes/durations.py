"""Durations as people write them (`250ms`, `5s`, `2m`, `1h`), as seconds."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
PATTERN = r"^\d+(\.\d+)?(ms|s|m|h)$"
LONGEST = 7 * 24 * 3600.0


def parse(text: object) -> float:
    """Seconds of a duration such as `1.5s`; raises ValueError with what to write instead."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return float(text)  # already decoded, as in a journal
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", str(text))
    if match is None:
        raise ValueError(f"{str(text)!r} is no duration; write 250ms, 5s, 2m or 1h")
    seconds = float(match[1]) * UNITS[match[2]]
    if seconds > LONGEST:
        raise ValueError(f"{text} is longer than a week")
    return seconds


def show(seconds: float) -> str:
    """A duration for people: `0 s`, `340 ms`, `61.2 s`, `12 min 5 s`, `2 h 10 min`."""
    if 0 < abs(seconds) < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if abs(seconds) < 120:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if abs(whole) < 7200:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    return f"{whole // 3600} h {whole % 3600 // 60} min".removesuffix(" 0 min")


Duration = Annotated[
    float, BeforeValidator(parse), WithJsonSchema({"type": "string", "pattern": PATTERN})
]
