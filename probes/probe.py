"""What a probe is: parameters, one verb, and what is kept of each attempt.

A probe makes one attempt when it is told to: no retry, no pooled connection, no second address.
The frame (`probes.schedule`) owns the time: when an attempt starts and when it is given up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from probes.durations import Duration, show

if TYPE_CHECKING:
    from probes.aws_api import ApiCall
    from probes.net import Net

Family = Literal["any", "ipv4", "ipv6"]

# Attempts of one probe that may hang at the same time; each of them may hold a socket.
IN_FLIGHT = 500
# In the detail of a ledger's read: the numbers whose record is there with other content.
CONFLICTING = "conflicting"


class ProbeFailed(Exception):
    """The system did not do what the probe expects; the message says what it did instead."""


class Probe(BaseModel):
    """The parameters that every probe has; a kind adds its own and the verb `check`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    summary: ClassVar[str] = ""
    # As it stands in an experiment, below `probes:`.
    example: ClassVar[str] = ""
    # Whether it writes numbered records and has `read`, which tells those that survived.
    ledger: ClassVar[bool] = False
    # Of a ledger: whether the order in which `read` returns them is that of the store, and whether
    # the store can hold the same number twice.
    ordered: ClassVar[bool] = False
    repeats: ClassVar[bool] = False
    # Whether it tells of trouble instead of suffering it: then each attempt that learned whether
    # the trouble was told says so in its detail, `detected: true` or `detected: false`.
    detects: ClassVar[bool] = False
    # Whether what it asks goes by the wall's clock, even where a lab runs faster.
    own_clock: ClassVar[bool] = False
    # Whether its good attempts can say which region answered: `region`, a text in their detail.
    tells_region: ClassVar[bool] = False
    # Whether it runs programs of the user's machine, which a run has to allow.
    runs_programs: ClassVar[bool] = False
    # Which of the parameters below have no meaning for the kind, and why: giving one is an error.
    without: ClassVar[Mapping[str, str]] = MappingProxyType({})

    kind: str = Field(description="which probe")
    account: str | None = Field(
        default=None, description="the account of the experiment it calls; not used in a lab"
    )
    every: Duration = Field(default=1.0, ge=0.001, description="period of the grid")
    timeout: Duration = Field(default=2.0, gt=0, description="when an attempt is given up")
    confirm: int = Field(default=3, ge=1, le=1000, description="good attempts that prove recovery")
    dns_cache: Literal["ttl", "none", "forever"] = Field(
        default="ttl", description="how long the probe believes a name's answer"
    )
    family: Family = Field(
        default="any",
        description="which addresses of a name may be used; any: IPv4, or IPv6 where it has none",
    )
    max_latency: Duration | None = Field(
        default=None,
        gt=0,
        description="longest time from an attempt's start to its end, with all its phases; one that"
        " takes longer is bad, whatever came back; default: as long as the timeout allows",
    )

    @field_validator("dns_cache", "family")
    @classmethod
    def _has_meaning(cls, value: str, info: ValidationInfo) -> str:
        name = info.field_name or ""
        if name in cls.without and value != cls.model_fields[name].default:
            raise ValueError(f"has no meaning for this kind: {cls.without[name]}")
        return value

    @field_validator("max_latency")
    @classmethod
    def _within_timeout(cls, limit: float | None, info: ValidationInfo) -> float | None:
        timeout = info.data.get("timeout", math.inf)  # it may be wrong itself
        if limit is not None and limit > timeout:
            raise ValueError(f"must be at most the timeout, {show(timeout)}")
        return limit

    @model_validator(mode="after")
    def _few_in_flight(self) -> Self:
        if self.timeout > IN_FLIGHT * self.every:
            raise ValueError(
                f"with a timeout of {show(self.timeout)} and one attempt every {show(self.every)}"
                f" more than {IN_FLIGHT} attempts could hang at once; shorten the timeout"
            )
        return self

    def calls(self) -> tuple[ApiCall, ...]:
        """The operations of the AWS API that it calls; permissions are asked for by them."""
        return ()

    def services(self) -> frozenset[str]:
        """The AWS services that it calls, as boto3 names them."""
        return frozenset(call.service for call in self.calls())

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Make one attempt; return when it was good, raise ProbeFailed (or OSError) when not."""
        raise NotImplementedError


@runtime_checkable
class Ledger(Protocol):
    """The power of probes whose attempts are numbered writes."""

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        """The numbers that survived, as the store hands them out, each as often as it is there.

        A record with other content than was written did not survive: its number is not returned,
        and stands in `attempt.detail[CONFLICTING]`. Raises ProbeFailed when not all can be read.
        """


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt while it runs: who asks, and what was seen so far, kept even on a timeout."""

    run: str
    probe: str
    n: int
    phases: dict[str, float] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    doing: str = ""
    name_at: float | None = None  # loop time: when the DNS answer came, if it was remembered

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure one phase (name, connect, tls, first_byte …) in seconds of the loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        start, self.doing = loop.time(), name
        try:
            yield
        finally:
            self.phases[name] = round(loop.time() - start, 6)
        self.doing = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One finished attempt. Times are loop seconds since the run's start; due <= start <= end."""

    probe: str
    n: int
    due: float
    start: float
    end: float
    ok: bool
    error: str = ""
    crashed: bool = False  # the probe itself broke: says nothing about the system
    phases: dict[str, float] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)

    def judged(self, ok: bool) -> Sample:
        """When it was made, as evidence of something else: good or bad by another measure."""
        # `dataclasses.replace` takes ten times as long, and there may be millions.
        return Sample(
            probe=self.probe, n=self.n, due=self.due, start=self.start, end=self.end, ok=ok
        )


def evidence(sample: Sample) -> Sample:
    """The attempt as evidence: begun when that was which it saw, where its detail has an `age`.

    A probe that asks others what they have measured sees the past: at some instant of the `age`
    seconds before its start, or until its end, the system was what it says.
    """
    age = sample.detail.get("age")
    if isinstance(age, bool) or not isinstance(age, int | float) or not age > 0:
        return sample
    return replace(sample, start=sample.start - age)
