"""What a number that others have measured must be: shared by probes that ask for metrics."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "above": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
    "equals": operator.eq,
}


class Threshold(BaseModel):
    """All comparisons that are given must hold; not a number (NaN) meets none of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    above: float | None = Field(default=None, description="more than that")
    at_least: float | None = Field(default=None, description="that or more")
    below: float | None = Field(default=None, description="less than that")
    at_most: float | None = Field(default=None, description="that or less")
    equals: float | None = Field(default=None, description="exactly that")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self._limits():
            raise ValueError(f"expects nothing; write one or more of {', '.join(COMPARISONS)}")
        return self

    def unmet(self, value: float) -> str:
        """The comparisons that do not hold, in words; empty when all do."""
        limits = self._limits().items()
        missed = [(name, limit) for name, limit in limits if not COMPARISONS[name](value, limit)]
        words = (
            f"{'' if name == 'equals' else name.replace('_', ' ') + ' '}{limit:g}"
            for name, limit in missed
        )
        return ", not ".join(words)

    def _limits(self) -> dict[str, float]:
        given = {name: getattr(self, name) for name in COMPARISONS}
        return {name: limit for name, limit in given.items() if limit is not None}
