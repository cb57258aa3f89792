"""Durations as people write them (`250ms`, `5s`, `2m`, `1h`, `14d`), as seconds."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PATTERN = r"^\d+(\.\d+)?(ms|s|m|h|d)$"
LONGEST = 7 * 86400.0
TEN_YEARS = 3652 * 86400.0


def parse(text: object, longest: float = LONGEST) -> float:
    """Seconds of a duration such as `1.5s`; raises ValueError with what to write instead."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return float(text)  # already decoded, as in a journal
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", str(text))
    if match is None:
        such = "250ms, 5s, 2m or 1h" if longest == LONGEST else "12h or 14d"
        raise ValueError(f"{str(text)!r} is no duration; write {such}")
    seconds = float(match[1]) * UNITS[match[2]]
    if seconds > longest:
        raise ValueError(f"{text} is longer than {'a week' if longest == LONGEST else 'ten years'}")
    return seconds


def show(seconds: float) -> str:
    """A duration for people: `0 s`, `340 ms`, `61.2 s`, `12 min 5 s`, `2 h 10 min`, `14 d`."""
    if 0 < abs(seconds) < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if abs(seconds) < 119.95:  # what would be written as 120.0 s is 2 min, as 120 is
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if abs(whole) < 7200:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    if abs(whole) < 2 * 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min".removesuffix(" 0 min")
    return f"{whole // 86400} d {whole % 86400 // 3600} h".removesuffix(" 0 h")


def write(seconds: float) -> str:
    """A duration as a file has it: `250ms`, `1.5s`, `90s`, `3m`, `1h`, `14d`."""
    if seconds < 1:
        return f"{seconds * 1000:g}ms" if seconds else "0s"
    for unit in ("d", "h", "m"):
        if seconds % UNITS[unit] == 0:
            return f"{seconds / UNITS[unit]:.0f}{unit}"
    return f"{round(seconds, 3):.15g}s"


Duration = Annotated[
    float, BeforeValidator(parse), WithJsonSchema({"type": "string", "pattern": PATTERN})
]
# How long something lasts that no run waits for, such as a certificate.
LongDuration = Annotated[
    float,
    BeforeValidator(lambda text: parse(text, TEN_YEARS)),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
]
