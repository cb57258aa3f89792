"""What was promised: objectives, and the conditions under which they are looked at."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from chaos.experiment.percentages import Percentage
from chaos.experiment.spread import AgeOrSpread, Spread, TimeOrSpread
from probes.durations import Duration, show

NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
FROZEN = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _name(given: str) -> str:
    if not re.fullmatch(NAME, given):
        raise ValueError(f"{given[:60]!r} is no name; use small letters, digits, - and _")
    return given


Name = Annotated[
    str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})
]


class SteadyState(BaseModel):
    """How long all must be well before anything is broken, or nothing is."""

    model_config = FROZEN

    for_: Duration = Field(default=5.0, gt=0, alias="for", description="every probe good for that")
    within: Duration = Field(default=60.0, gt=0, description="how long that may take to come")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.for_ > self.within:
            raise ValueError(
                f"nothing is good for {show(self.for_)} within {show(self.within)};"
                " 'for' may not be longer than 'within'"
            )
        return self


class Objective(BaseModel):
    """What was promised of one probe. Times are seconds, availability is from 0 to 1."""

    model_config = FROZEN

    rto: TimeOrSpread | None = Field(
        default=None, description="back for good so soon after the first injection"
    )
    rpo: AgeOrSpread | None = Field(
        default=None, description="age at the first injection of the oldest write to be lost"
    )
    availability: Percentage | None = Field(
        default=None, gt=0, le=1, description="good attempts while faults are on, such as 40%"
    )
    heals_within: TimeOrSpread | None = Field(
        default=None, description="back for good so soon after the last fault is lifted"
    )
    detects_within: TimeOrSpread | None = Field(
        default=None, description="tells of the fault so soon after the first injection"
    )
    fails_over_within: TimeOrSpread | None = Field(
        default=None,
        description="answered well from another region so soon after the first injection",
    )
    full_capacity_within: TimeOrSpread | None = Field(
        default=None,
        description="of a probe that is good at full capacity only: back for good so soon after the"
        " first injection",
    )
    fails_back_within: TimeOrSpread | None = Field(
        default=None,
        description="answered from its own region alone so soon after the last fault is lifted",
    )
    stale: Duration | None = Field(
        default=None,
        ge=0,
        description="of a ledger: how long after its acknowledgement a read may miss a write",
    )
    in_order: bool = Field(
        default=False, description="of a ledger: whether records must come out in order"
    )
    no_duplicates: bool = Field(
        default=False, description="of a ledger: whether none may be there twice"
    )
    unaffected: bool = Field(default=False, description="whether it must not notice anything")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError(
                "promises nothing; write one or more of rto, rpo, availability, heals_within,"
                " detects_within, fails_over_within, full_capacity_within, fails_back_within,"
                " stale, in_order: true, no_duplicates: true and unaffected: true"
            )
        for name, given in self:
            if name != "rpo" and isinstance(given, Spread) and min(given.limits.values()) == 0:
                raise ValueError(f"no {name} is 0 s; write longer times")
        if self.unaffected and (self.rto or self.heals_within):
            raise ValueError(
                "what is unaffected has nothing to recover from; leave out rto and heals_within,"
                " or unaffected"
            )
        if self.unaffected and self.detects_within:
            raise ValueError(
                "what is unaffected tells of nothing; leave out detects_within or unaffected"
            )
        return self


# The keys that a stop condition has together; an alarm may have its account too.
STOPS = ({"probe", "down_for"}, {"alarm", "region"}, {"longer_than"})
SHAPES: dict[str, Any] = {
    "oneOf": [{"required": sorted(keys)} for keys in STOPS],
    "dependentRequired": {
        "probe": ["down_for"],
        "down_for": ["probe"],
        "alarm": ["region"],
        "region": ["alarm"],
        "account": ["alarm"],
    },
}


class StopCondition(BaseModel):
    """When the run is to be ended early: a probe is down, an alarm rings, it takes too long."""

    model_config = ConfigDict(**FROZEN, json_schema_extra=SHAPES)

    probe: str | None = Field(default=None, description="name of the probe")
    down_for: Duration | None = Field(
        default=None, gt=0, description="how long it must not have been good"
    )
    alarm: str | None = Field(
        default=None, min_length=1, max_length=255, description="name of an alarm of CloudWatch"
    )
    region: str | None = Field(default=None, min_length=1, description="where that alarm is")
    account: str | None = Field(default=None, description="the account that it is in")
    longer_than: Duration | None = Field(
        default=None, gt=0, description="so long after the first injection"
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        given = set(self.model_dump())
        if given - ({"account"} if self.alarm else set()) not in STOPS:
            raise ValueError(
                "must be one of {probe: …, down_for: …}, {alarm: …, region: …} and {longer_than: …}"
            )
        return self

    @model_serializer(mode="wrap")
    def _given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}
