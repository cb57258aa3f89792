"""What a run leaves to chance: which resources are picked, and when exactly the fault comes.

A run by itself draws anew each time. A trial of a set draws from the set's seed and its own number,
so that every trial differs from the others and can be drawn again.
"""

from __future__ import annotations

import random
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

# Seconds, in which the periods of what notices a fault and fails over have their place: TTLs of
# alias records (60 s), health checks (10 or 30 s), alarms (10 to 60 s).
ANY_MOMENT = 60.0

_OWN: ContextVar[random.Random | None] = ContextVar("own", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A run's place among the trials of a set: the `n`-th `of` so many, counted from 1."""

    set: str
    n: int
    of: int
    seed: int

    def draws(self, what: str) -> random.Random:
        """Where to draw that from: the same in each process, on any machine."""
        return random.Random(f"{self.seed}/{self.n}/{what}")

    def pause(self, what: str, longest: float) -> float:
        """Seconds to wait, so that what comes then may come at any moment of such a period."""
        return round(self.draws(what).uniform(0.0, longest), 6)

    def to_json(self) -> dict[str, Any]:
        """As a journal's header has it."""
        return asdict(self)


def draws() -> random.Random:
    """Where a fault draws from; without a trial that is nothing that could be drawn again."""
    return _OWN.get() or random.Random(random.getrandbits(64))


def draw_from(own: random.Random) -> None:
    """From now on, and in this task alone, what is drawn is drawn from there."""
    _OWN.set(own)
