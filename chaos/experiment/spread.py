"""A promise about many runs: how many of a hundred outages keep within what time.

`rto: {p90: 60s, confidence: 95%}` is held by a set of trials that shows it, never by one run.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from chaos.experiment.percentages import Percentage
from probes.durations import Duration, show

PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
LEAST_CONFIDENCE = 0.5  # below that, the contrary is as likely


def _percentile(share: int) -> Any:
    return Field(default=None, ge=0, description=f"what {share} % of such outages keep within")


class Spread(BaseModel):
    """Limits by percentile, in seconds, and the confidence with which trials have to show them."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={"anyOf": [{"required": [p]} for p in PERCENTILES]},
    )

    p50: Duration | None = _percentile(50)
    p75: Duration | None = _percentile(75)
    p90: Duration | None = _percentile(90)
    p95: Duration | None = _percentile(95)
    p99: Duration | None = _percentile(99)
    confidence: Percentage = Field(
        default=0.95,
        description="how sure the trials must make of it, at least 50%",
        json_schema_extra={"default": "95%"},  # as it is written
    )

    @property
    def limits(self) -> dict[str, float]:
        """The limits that were given, by percentile, in seconds, the least first."""
        return {name: time for name, time in self if name != "confidence" and time is not None}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        limits = list(self.limits.items())
        if not limits:
            raise ValueError("names no percentile; write one or more of p50, p75, p90, p95 and p99")
        if not LEAST_CONFIDENCE <= self.confidence < 1:
            raise ValueError(
                f"confidence of {self.confidence * 100:g}%: write at least 50% and less than 100%,"
                " which no number of trials can show"
            )
        for (less, sooner), (more, later) in pairwise(limits):
            if later < sooner:
                raise ValueError(
                    f"{more} is {show(later)} and {less} is {show(sooner)}: what {more[1:]} % keep"
                    f" within, {less[1:]} % keep within too; {more} may not be the shorter one"
                )
        return self

    @model_serializer(mode="wrap")
    def _given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


def longest(promised: float | Spread) -> float:
    """The time that a promise is about: of several, the longest."""
    return max(promised.limits.values()) if isinstance(promised, Spread) else promised


def _shape(given: object) -> str:
    return "spread" if isinstance(given, dict | Spread) else "time"


TimeOrSpread = Annotated[
    Annotated[Duration, Field(gt=0), Tag("time")] | Annotated[Spread, Tag("spread")],
    Discriminator(_shape),
]
AgeOrSpread = Annotated[
    Annotated[Duration, Field(ge=0), Tag("time")] | Annotated[Spread, Tag("spread")],
    Discriminator(_shape),
]
