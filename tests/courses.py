"""Every course of a system's state from 0 to 6 there is: what explains some attempts, by trying.

The points are twice as fine as the attempts, whose starts and ends are whole. Before all of them
the system was up. Nothing here knows of the arithmetic that is put to the test with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from itertools import pairwise, product

from attempts import DOWN, UP

from probes.probe import Sample

LAST = 6
POINTS = [n / 2 for n in range(2 * LAST + 1)]
Course = tuple[bool, ...]  # the state at each point
COURSES: list[Course] = list(product((UP, DOWN), repeat=len(POINTS)))


@cache
def turns_of(course: Course) -> list[tuple[float, float]]:
    """The last point of the old state and the first of the new one; before all, it was up."""
    known = list(zip([-math.inf, *POINTS], [UP, *course], strict=True))
    return [(a, b) for (a, old), (b, new) in pairwise(known) if old != new]


@cache
def explanations(start: float, end: float, ok: bool) -> int:
    """The courses in which an attempt may have ended so: the bits of their numbers."""
    within = [n for n, point in enumerate(POINTS) if start <= point <= end]
    return _numbers(any(course[n] == ok for n in within) for course in COURSES)


def fewest(samples: Iterable[Sample]) -> list[Course]:
    """The courses with the fewest turns that explain all of the attempts."""
    possible = (1 << len(COURSES)) - 1
    for s in samples:
        possible &= explanations(s.start, s.end, s.ok)
    found = next(found for found in map(possible.__and__, _by_turns()) if found)
    return [COURSES[n] for n in range(found.bit_length()) if found >> n & 1]


@cache
def _by_turns() -> list[int]:
    """The courses without a turn, with one, with two …"""
    counts = [len(turns_of(course)) for course in COURSES]
    return [_numbers(count == n for count in counts) for n in range(len(POINTS) + 1)]


def _numbers(flags: Iterable[bool]) -> int:
    return sum(1 << n for n, flag in enumerate(flags) if flag)


def turns(samples: list[Sample]) -> list[tuple[float, float]]:
    """From when to when each turn may have been, in all of these courses; down first."""
    told = [s for s in samples if not s.crashed]
    first = min((s.start for s in told), default=0.0)
    each = zip(*map(turns_of, fewest(told)), strict=True)
    return [(max(first, min(a for a, _ in turn)), max(b for _, b in turn)) for turn in each]
