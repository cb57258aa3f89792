"""What a rule finds: three values, the measured interval, one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from probes.durations import show
from probes.outages import Interval

Value = Literal["held", "broken", "unknown"]

TOO_COARSE = "too close to the objective to tell: probe more often"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One objective of one probe. `wanted` and `measured` are seconds, for availability fractions.

    `how` is how the system came back ("failover", "after lifting", "never", "unaffected"), or that
    the fault was "not detected", and empty where that is not asked. `reason` is one sentence that
    begins with the probe's name. `spread` is a promise about many runs, as a journal has it, and
    `wanted` then the longest of its limits.
    """

    probe: str
    objective: str
    wanted: float | bool
    measured: Interval | None
    value: Value
    how: str
    reason: str
    spread: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's answer; `reason` goes on after the probe's name."""

    value: Value
    reason: str
    measured: Interval | None = None
    how: str = ""


def compared(measured: Interval, wanted: float) -> Value:
    """Held when all of the interval keeps within `wanted`, broken when none of it does."""
    if measured.high <= wanted:
        return "held"
    return "broken" if measured.low > wanted else "unknown"


def percent(share: float) -> str:
    """A fraction, to a hundredth of a percent; only what is whole is called 100%."""
    text = f"{share * 100:.2f}".rstrip("0").rstrip(".")
    return "99.99%" if text == "100" and share < 1 else f"{text}%"


def span(interval: Interval) -> str:
    """An interval for people: `61.2 s to 62.3 s`, `more than 40 s`, `0 s`."""
    if interval.high == math.inf:
        return f"more than {show(interval.low)}"
    low, high = show(interval.low), show(interval.high)
    return high if low == high else f"{low} to {high}"
