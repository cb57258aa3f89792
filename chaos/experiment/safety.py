"""Guards: what a drill in a real account may touch, how much of it, and when. All of it narrows.

safety:
  require_tags: {chaos: allowed}
  at_most: {count: 4, percent: 25%}

The same keys stand in an organisation's policy; every one that is found holds. In a lab there is
nothing to guard.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import zoneinfo
from collections.abc import Iterator
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from chaos.experiment.objectives import FROZEN
from chaos.experiment.percentages import Percentage
from probes.aws_api import Region
from probes.durations import Duration

MOST = 100  # entries of one list
ACCOUNT = r"[0-9]{12}"
TIME = r"([01]\d|2[0-3]):[0-5]\d(:00)?|24:00"  # TOML writes its own times with seconds
DATE = r"2\d{3}-\d{2}-\d{2}"  # of a year that every clock can count
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)

# Limits of tags: AWS General Reference, "Tag naming limits and requirements".
TAG_KEY, TAG_VALUE = r"^[^*]+$", r"^([^*]*|\*)$"
ResourceId = Annotated[str, StringConstraints(min_length=1, max_length=256)]


def _no_pattern(given: str) -> str:
    if "*" in given:
        raise ValueError(f"{given[:60]!r} is no tag: * stands alone, for any value, or not at all")
    return given


def _account(given: str) -> str:
    if not re.fullmatch(ACCOUNT, given):
        raise ValueError(f"{given[:60]!r} is no id of an account, which has 12 digits")
    return given


def _minutes(given: object) -> int:
    """`09:30` as minutes of the day; a number is that already, as in a journal."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if not re.fullmatch(TIME, str(given)):
        raise ValueError(f"{str(given)[:60]!r} is no time of the day; write 09:00 or 24:00")
    hours, minutes = str(given).split(":")[:2]
    return int(hours) * 60 + int(minutes)


def _date(given: object) -> dt.date:
    if isinstance(given, dt.date):
        return given
    try:
        if re.fullmatch(DATE, str(given)):
            return dt.date.fromisoformat(str(given))
    except ValueError:
        pass
    raise ValueError(f"{str(given)[:60]!r} is no date; write 2026-12-24")


def _zone(given: str) -> str:
    try:
        zoneinfo.ZoneInfo(given)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = difflib.get_close_matches(given[:100], zoneinfo.available_timezones(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write UTC, or install tzdata"
        raise ValueError(
            f"{given[:60]!r} is no time zone that this machine knows; {hint}"
        ) from error
    return given


# There are no patterns in tags: what is meant as one would be a tag that nothing has.
TagKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    AfterValidator(_no_pattern),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128, "pattern": TAG_KEY}),
]
TagValue = Annotated[
    str,
    StringConstraints(max_length=256),
    AfterValidator(lambda given: given if given == "*" else _no_pattern(given)),
    WithJsonSchema({"type": "string", "maxLength": 256, "pattern": TAG_VALUE}),
]
AccountId = Annotated[
    str, AfterValidator(_account), WithJsonSchema({"type": "string", "pattern": f"^{ACCOUNT}$"})
]
TimeOfDay = Annotated[
    int,
    BeforeValidator(_minutes),
    WithJsonSchema({"type": "string", "pattern": f"^({TIME})$"}),
]
Date = Annotated[
    dt.date,
    BeforeValidator(_date),
    WithJsonSchema({"type": "string", "pattern": f"^{DATE}$"}),
]
Zone = Annotated[str, AfterValidator(_zone)]


class AtMost(BaseModel):
    """The most that may be hit: of everything, and of all resources of one type in a region."""

    model_config = FROZEN

    count: int | None = Field(default=None, ge=0, le=10000, description="resources, of any type")
    percent: Percentage | None = Field(
        default=None,
        gt=0,
        le=1,
        description="of all resources of a type in an account's region, such as 50%",
    )

    @model_validator(mode="after")
    def _limits(self) -> Self:
        if self.count is None and self.percent is None:
            raise ValueError("limits nothing; write count, percent or both")
        return self


class Hours(BaseModel):
    """A window of time, on some days of the week; one that ends before it begins is overnight."""

    model_config = FROZEN

    days: list[Day] = Field(
        default=list(DAYS), min_length=1, max_length=7, description="the days on which it begins"
    )
    from_: TimeOfDay = Field(alias="from", lt=1440, description="when it begins, such as 09:00")
    to: TimeOfDay = Field(description="when it ends, such as 16:30; 24:00 is midnight")
    zone: Zone = Field(description="the time zone, such as Europe/Berlin or UTC")

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.from_ == self.to:
            raise ValueError("ends when it begins; for a whole day write from 00:00 to 24:00")
        return self

    def windows(self, moment: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Its windows about that moment, each from a moment (UTC) to another."""
        zone = zoneinfo.ZoneInfo(self.zone)
        today = moment.astimezone(zone).date()
        over = 1 if self.to < self.from_ else 0
        for day in (today - dt.timedelta(1), today):
            if DAYS[day.weekday()] in self.days:
                end = day + dt.timedelta(over)
                yield _moment(day, self.from_, zone), _moment(end, self.to, zone)

    def __str__(self) -> str:
        days = "" if set(self.days) == set(DAYS) else f"{', '.join(self.days)} "
        return f"{days}{_clock(self.from_)}-{_clock(self.to)} {self.zone}"


class Blackout(BaseModel):
    """Days without drills."""

    model_config = FROZEN

    from_: Date = Field(alias="from", description="the first day, such as 2026-12-20")
    to: Date | None = Field(default=None, description="the last day; without it the first alone")
    zone: Zone = Field(default="UTC", description="the time zone of these days")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to and self.to < self.from_:
            raise ValueError(f"'to' ({self.to}) is before 'from' ({self.from_})")
        return self

    def window(self) -> tuple[dt.datetime, dt.datetime]:
        """From the beginning of its first day to the end of its last one (UTC)."""
        zone = zoneinfo.ZoneInfo(self.zone)
        return _moment(self.from_, 0, zone), _moment(self.to or self.from_, 1440, zone)

    def __str__(self) -> str:
        return f"{self.from_}" if self.to in (None, self.from_) else f"{self.from_} to {self.to}"


def _moment(day: dt.date, minutes: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """A wall clock's time there, in UTC, where a day on which clocks change is as long as it is."""
    days, minutes = divmod(minutes, 1440)
    time = dt.time(minutes // 60, minutes % 60)
    local = dt.datetime.combine(day + dt.timedelta(days), time, zone)
    return local.astimezone(dt.UTC)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


class Rules(BaseModel):
    """Guards. Each that is not given leaves everything open; an empty list allows nothing."""

    model_config = FROZEN

    accounts: tuple[AccountId, ...] | None = Field(
        default=None, max_length=MOST, description="ids of the accounts that may be touched"
    )
    regions: tuple[Region, ...] | None = Field(
        default=None, max_length=MOST, description="regions that may be touched"
    )
    require_tags: dict[TagKey, TagValue] = Field(
        default_factory=dict,
        max_length=50,
        description="tags that every resource must carry to be touched; `*` is any value",
    )
    protect_tags: dict[TagKey, TagValue] = Field(
        default_factory=dict,
        max_length=50,
        description="tags of which one is enough to be left alone; `*` is any value",
    )
    at_most: AtMost | None = Field(
        default=None, description="what one fault may hit at most, `{count, percent}`"
    )
    at_most_in_a_run: AtMost | None = Field(
        default=None, description="what all faults together may hit at most, `{count, percent}`"
    )
    max_duration: Duration | None = Field(
        default=None, gt=0, description="how long a drill may be expected to take"
    )
    hours: list[Hours] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST,
        description="windows, `{days, from, to, zone}`: a drill begins and ends within one",
    )
    blackout: tuple[Blackout, ...] = Field(
        default=(), max_length=MOST, description="days without drills, `{from, to, zone}`"
    )
    alone: tuple[ResourceId, ...] | None = Field(
        default=None,
        max_length=MOST,
        description="ids of instances that may be terminated although no group replaces them",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, given: object) -> object:
        """What was left empty was meant to say something, and would leave everything open."""
        if given is None:
            raise ValueError("is empty")
        return given


class PolicyRules(Rules):
    """What an organisation lays down besides."""

    allow_irreversible: tuple[str, ...] | None = Field(
        default=None,
        max_length=MOST,
        description="what experiments may allow of that which cannot be put back",
    )
    undo_log: str | None = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="the default of `--undo-log`: where the undo log and the lock are kept",
    )
