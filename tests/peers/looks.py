"""What a tool saw of a system, as looks, and what a reader makes of them: for every tool the same.

Times are seconds of the machine's monotonic clock since the scripts' zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Said = Literal["held", "broken", "unknown"]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a system: when it began and ended, and whether all was well."""

    start: float
    end: float
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one tool has of one system; `said` is its own verdict, None where it gives none."""

    looks: tuple[Look, ...]
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How long it took to be back: at least, and at most. Both are 0 when no failure was seen."""

    low: float
    high: float


def read(looks: Sequence[Look], injected: float) -> Reading:
    """From the start of the last bad look to the end of the first good one begun after it."""
    bad = [look for look in looks if not look.ok]
    if not bad:
        return Reading(0.0, 0.0)
    last = max(bad, key=lambda look: look.start)
    after = [look for look in looks if look.ok and look.start > last.start]
    back = min(after, key=lambda look: look.start).end if after else math.inf
    return Reading(max(0.0, last.start - injected), max(0.0, back - injected))


def longest(looks: Sequence[Look], window: tuple[float, float]) -> float:
    """The longest time that a good answer to a look begun in the window took, in seconds."""
    return max(look.end - look.start for look in _within(looks, window) if look.ok)


def share_slower(looks: Sequence[Look], than: float, window: tuple[float, float]) -> float:
    """The fraction of the looks begun in the window that took longer."""
    within = _within(looks, window)
    return sum(look.end - look.start > than for look in within) / len(within)


def _within(looks: Sequence[Look], window: tuple[float, float]) -> list[Look]:
    return [look for look in looks if window[0] <= look.start < window[1]]
