"""What became of numbered writes when the ledger was read: survived or lost, and how old. Pure.

The model is Jepsen's set-full and total-queue checkers: an acknowledged write that a read does
not find is lost; one that failed may have been applied nevertheless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from probes.outages import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One attempt to write a numbered record; times are seconds since the run's start.

    `end` is when the answer came; one that is not acknowledged may have been applied or not.
    """

    number: int
    start: float
    end: float
    acknowledged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An acknowledged write that the read did not find.

    `age` is how long before the fault it was made: at least from its acknowledgement to the
    fault's first effect, at most from its start to the fault's last. Below zero is after it.
    """

    number: int
    age: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What one read of the ledger found; all numbers in ascending order."""

    acknowledged: int
    survived: tuple[int, ...]  # acknowledged and found
    lost: tuple[Lost, ...]  # acknowledged, begun before the fault was complete, not found
    lost_after: tuple[Lost, ...]  # acknowledged, begun under the fault, not found
    duplicated: tuple[int, ...]  # found more than once
    recovered: tuple[int, ...]  # found, though no acknowledgement came before the read
    unexpected: tuple[int, ...]  # found, though no attempt to write it is known
    rpo: Interval  # the age of the oldest lost write; 0 when none was lost


def balance(writes: Iterable[Write], found: Iterable[int], *, fault: Interval) -> Balance:
    """Hold the writes against what a read found; `fault` is from its first effect to its last.

    RPO is the fault's time less that of the oldest acknowledged write that did not survive. One
    that was begun under the fault and is lost cannot raise it (it is younger than the fault): it
    is told apart, because no RPO excuses it.
    """
    attempted = {w.number: w for w in writes}
    seen = Counter(found)
    acknowledged = {n for n, w in attempted.items() if w.acknowledged}
    lost = [
        Lost(number=n, age=Interval(fault.low - attempted[n].end, fault.high - attempted[n].start))
        for n in sorted(acknowledged - seen.keys())
    ]
    return Balance(
        acknowledged=len(acknowledged),
        survived=tuple(sorted(acknowledged & seen.keys())),
        lost=tuple(w for w in lost if w.age.high > 0),
        lost_after=tuple(w for w in lost if w.age.high <= 0),
        duplicated=tuple(sorted(n for n, times in seen.items() if times > 1)),
        recovered=tuple(sorted((attempted.keys() - acknowledged) & seen.keys())),
        unexpected=tuple(sorted(seen.keys() - attempted.keys())),
        rpo=Interval(
            max([0.0, *(w.age.low for w in lost)]),
            max([0.0, *(w.age.high for w in lost)]),
        ),
    )
