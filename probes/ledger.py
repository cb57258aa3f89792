"""What became of numbered writes when the ledger was read: survived, lost, late, twice. Pure.

The model is Jepsen's set-full and total-queue checkers: an acknowledged write that a read does
not find is lost, or stale if a later read finds it; one that failed may have been applied
nevertheless.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
class Read:
    """What a read found, as the store handed it out; it looked at some time from began to ended.

    `conflicting` are numbers whose record is there with other content than was written: they are
    not `found`. `ordered` says whether the order of `found` means something.
    """

    began: float
    ended: float
    found: tuple[int, ...]
    conflicting: tuple[int, ...] = ()
    ordered: bool = False

    @property
    def shown(self) -> frozenset[int]:
        """The numbers that it found, each with its own content alone."""
        return frozenset(self.found) - frozenset(self.conflicting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An acknowledged write that the read did not find.

    `age` is how long before the fault it was made: at least from its acknowledgement to the
    fault's first effect, at most from its start to the fault's last. Below zero is after it.
    """

    number: int
    age: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A write acknowledged before the read began, which the read missed and a later one found.

    `missing` is for how long after its acknowledgement it was not to be seen: at least until the
    read began, at most until the first later read that found it had ended.
    """

    number: int
    missing: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What one read of the ledger found; numbers in ascending order."""

    acknowledged: int
    survived: tuple[int, ...]  # acknowledged and found
    stable: tuple[int, ...]  # survived, and found by every later read
    lost: tuple[Lost, ...]  # acknowledged, begun before the fault was complete, not found
    lost_after: tuple[Lost, ...]  # acknowledged, begun under the fault, not found
    returning: tuple[Lost, ...]  # acknowledged after `until`, before the read, and not found
    stale: tuple[Stale, ...]  # acknowledged before the read, not found, and found by a later one
    unshown: tuple[int, ...]  # the same, but found by no later read either
    behind: Interval  # how old the oldest of these two was, from its acknowledgement to the read
    out_of_order: tuple[int, ...]  # found behind a write begun after their acknowledgement
    duplicated: tuple[int, ...]  # found more than once
    conflicting: tuple[int, ...]  # there with other content: neither survived nor found
    recovered: tuple[int, ...]  # found, though no acknowledgement came before the read
    unexpected: tuple[int, ...]  # found, though no attempt to write it is known
    rpo: Interval  # the age of the oldest lost write; 0 when none was lost


def same_time(found: object, sent: float) -> bool:
    """Whether it is the time that was sent with a record, however a store writes numbers."""
    try:
        return abs(float(str(found)) - sent) < 1e-6
    except ValueError:
        return False


def balance(
    writes: Iterable[Write],
    read: Read,
    *,
    fault: Interval,
    until: float = math.inf,
    later: Sequence[Read] = (),
) -> Balance:
    """Hold the writes against what a read found; `fault` is from its first effect to its last.

    What was acknowledged after `until`, or after the read began, is not demanded of it: it may
    still be on its way. `later` are the reads after this one, in order.

    RPO is the fault's time less that of the oldest acknowledged write that did not survive. One
    that was begun under the fault and is lost cannot raise it (it is younger than the fault): it
    is told apart, because no RPO excuses it.
    """
    attempted = {w.number: w for w in writes}
    known = {n for n, w in attempted.items() if w.acknowledged and w.end <= read.began}
    acknowledged = {n for n in known if attempted[n].end <= until}
    seen, there = read.shown, {*read.found, *read.conflicting}
    lost = [_lost(attempted[n], fault) for n in sorted(acknowledged - seen)]
    missed = [attempted[n] for n in sorted(known - seen)]
    stale = [late for write in missed for late in _stale(write, read, later)]
    return Balance(
        acknowledged=len(acknowledged),
        survived=tuple(sorted(acknowledged & seen)),
        stable=tuple(sorted((acknowledged & seen).intersection(*(r.shown for r in later)))),
        lost=tuple(w for w in lost if w.age.high > 0),
        lost_after=tuple(w for w in lost if w.age.high <= 0),
        returning=tuple(_lost(attempted[n], fault) for n in sorted(known - acknowledged - seen)),
        stale=tuple(stale),
        unshown=tuple(sorted({w.number for w in missed} - {s.number for s in stale})),
        behind=_oldest(Interval(read.began - w.end, read.ended - w.end) for w in missed),
        out_of_order=tuple(sorted(_misplaced(attempted, read))),
        duplicated=tuple(sorted(n for n, times in Counter(read.found).items() if times > 1)),
        conflicting=tuple(sorted({*read.conflicting})),
        recovered=tuple(sorted((attempted.keys() - acknowledged) & seen)),
        unexpected=tuple(sorted(there - attempted.keys())),
        rpo=_oldest(w.age for w in lost),
    )


def _lost(write: Write, fault: Interval) -> Lost:
    age = Interval(fault.low - write.end, fault.high - write.start)
    return Lost(number=write.number, age=age)


def _stale(write: Write, read: Read, later: Sequence[Read]) -> Iterator[Stale]:
    """At most one: the first later read that found the write tells that it was only late."""
    for other in later:
        if write.number in other.shown:
            missing = Interval(read.began - write.end, other.ended - write.end)
            yield Stale(number=write.number, missing=missing)
            return


def _misplaced(attempted: dict[int, Write], read: Read) -> Iterator[int]:
    """Acknowledged writes that came out behind one that was begun only after that.

    Writes that overlap may stand either way, and so may one that was never acknowledged. A second
    delivery is a duplicate, and no disorder.
    """
    latest = -math.inf  # the latest start of those that came out so far
    for number in dict.fromkeys(read.found) if read.ordered else ():
        write = attempted.get(number)
        if write is None:
            continue
        if write.acknowledged and latest > write.end:
            yield number
        latest = max(latest, write.start)


def _oldest(ages: Iterable[Interval]) -> Interval:
    """Both bounds are those of the worst one, which need not be the same; 0 for none."""
    ages = list(ages)
    return Interval(max([0.0, *(a.low for a in ages)]), max([0.0, *(a.high for a in ages)]))
