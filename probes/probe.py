"""What a probe is: parameters, one verb, and what is kept of each attempt.

A probe makes one attempt when it is told to: no retry, no pooled connection, no second address.
The frame (`probes.schedule`) owns the time: when an attempt starts and when it is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, model_validator

from probes.durations import Duration, show

if TYPE_CHECKING:
    from probes.net import Net

# Attempts of one probe that may hang at the same time; each of them may hold a socket.
IN_FLIGHT = 500


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

    kind: str
    every: Duration = Field(default=1.0, ge=0.001, description="period of the grid")
    timeout: Duration = Field(default=2.0, gt=0, description="when an attempt is given up")
    confirm: int = Field(default=3, ge=1, le=1000, description="good attempts that prove recovery")
    dns_cache: Literal["ttl", "none", "forever"] = Field(
        default="ttl", description="how long the probe believes a name's answer"
    )

    @model_validator(mode="after")
    def _few_in_flight(self) -> Self:
        if self.timeout > IN_FLIGHT * self.every:
            raise ValueError(
                f"with a timeout of {show(self.timeout)} and one attempt every {show(self.every)}"
                f" more than {IN_FLIGHT} attempts could hang at once; shorten the timeout"
            )
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Make one attempt; return when it was good, raise ProbeFailed (or OSError) when not."""
        raise NotImplementedError


@runtime_checkable
class Ledger(Protocol):
    """The power of probes whose attempts are numbered writes."""

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        """The numbers that survived; raises ProbeFailed when not all of them can be read."""


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt while it runs: who asks, and what was seen so far, kept even on a timeout."""

    run: str
    probe: str
    n: int
    phases: dict[str, float] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    doing: str = ""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure one phase (name, connect, tls, first_byte …) in seconds of the loop."""
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
