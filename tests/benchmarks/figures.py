"""What a benchmark gives: figures, each with what it is to be compared with, and how to take them.

A machine is never twice the same, so what counts is a ratio against something else that was
measured in the same run, in turns with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number, in `unit`; the limits are what it is to reach, where there is an aim."""

    name: str
    value: float
    unit: str
    compared_with: str = ""  # what stood beside it in the same run, with its own value
    below: float | None = None
    at_least: float | None = None

    @property
    def aim(self) -> str:
        """The limits in words; empty when there is none."""
        words = (("below", self.below), ("at least", self.at_least))
        return ", ".join(f"{word} {limit:g} {self.unit}" for word, limit in words if limit)

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if not self.aim:
            return None
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.below is None else self.below
        return low <= self.value < high


def in_turns(rounds: int, subjects: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Measure each subject once a round: what disturbs the machine disturbs all of them alike.

    The order turns with each round, and a round before the first is made and forgotten.
    """
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    names = list(subjects)
    for n in range(-1, rounds):
        for name in names[n % len(names) :] + names[: n % len(names)]:
            value = subjects[name]()
            if n >= 0:
                taken[name].append(value)
    return taken


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0.99) of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
