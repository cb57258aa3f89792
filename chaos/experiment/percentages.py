"""Percentages as people write them (`40%`, `99.9%`), as fractions."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

PERCENTAGE = r"\d{1,3}(\.\d+)?%"


def fraction(given: object) -> float:
    """`40%` as 0.4; a number is a fraction already, as in a journal."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    if not re.fullmatch(PERCENTAGE, str(given)):
        raise ValueError(f"{str(given)!r} is no percentage; write 40% or 99.9%")
    of_all = float(str(given)[:-1]) / 100
    if not 0 < of_all <= 1:
        raise ValueError(f"must be above 0% and at most 100%, not {given}")
    return of_all


Percentage = Annotated[
    float,
    BeforeValidator(fraction),
    WithJsonSchema({"type": "string", "pattern": f"^{PERCENTAGE}$"}),
]
