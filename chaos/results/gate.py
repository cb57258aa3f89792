"""The gate: whether a run, or a set of trials, is worse than those before by more than so much.

A distribution-free test for each promise (`chaos.statistics.worse`); the error that is allowed is
divided by the number of promises that are tested at once [Bonferroni]. What is measured is known
as an interval, so is the answer of the test: where it hangs on what the intervals leave open, there
is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from chaos.results.comparing import Pair
from chaos.statistics import Comparison, worse

Answer = Literal["worse", "not shown", "too coarse", "too few", "no data"]
EXIT_CODES: dict[Answer, int] = {
    "worse": 1,
    "no data": 3,
    "too few": 3,
    "too coarse": 3,
    "not shown": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One promise: the answer, and how likely so great a difference is if nothing is worse."""

    __test__ = False  # for pytest

    pair: Pair
    answer: Answer
    p_value: float | None = None  # the largest that the intervals allow
    p_least: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The answer to all promises together: the worst of them, in the order of EXIT_CODES."""

    answer: Answer
    by: float  # a fraction
    confidence: float  # of the whole
    each: float  # of each single test
    at_once: int  # how many promises could be found to be worse
    tests: tuple[Test, ...]
    needed: int  # runs before that could show it for as many runs now, had all of them figures

    @property
    def exit_code(self) -> int:
        """0 not shown to be worse, 1 worse, 3 it cannot be told."""
        return EXIT_CODES[self.answer]


def judge(pairs: Sequence[Pair], by: float, confidence: float) -> Gate:
    """Whether what was promised is worse now by more than the fraction `by`."""
    tested = {id(pair): _compared(pair, by) for pair in pairs}
    # What is the same in all runs cannot be found to be worse, however often it is tested.
    at_once = sum(both is None or not _settled(both) for both in tested.values())
    each = 1 - (1 - confidence) / max(at_once, 1)
    tests = tuple(_test(pair, tested[id(pair)], each) for pair in pairs)
    answers = [test.answer for test in tests] or ["no data"]
    now = max((len(pair.now.results) for pair in pairs), default=1)
    return Gate(
        answer=next(answer for answer in EXIT_CODES if answer in answers),
        by=by,
        confidence=confidence,
        each=each,
        at_once=at_once,
        tests=tests,
        needed=runs_needed(max(now, 1), each),
    )


def runs_needed(now: int, confidence: float) -> int:
    """How many runs before show that so many now are worse, if each of them is the worst."""
    allowed, before = 1 - Fraction(confidence).limit_denominator(10**9), 1
    while Fraction(1, math.comb(before + now, now)) > allowed:
        before += 1
    return before


def trials_needed(before: int, confidence: float) -> int:
    """The same the other way round: how many runs now, against so many before."""
    return runs_needed(max(before, 1), confidence)


def _compared(pair: Pair, by: float) -> tuple[Comparison, Comparison] | None:
    """The test with what is least and what is most against the runs of now."""
    before, now = pair.before.badness, pair.now.badness
    if not before or not now:
        return None
    kindly = worse([b.high * (1 + by) for b in before], [n.low for n in now])
    harshly = worse([b.low * (1 + by) for b in before], [n.high for n in now])
    return kindly, harshly


def _settled(both: tuple[Comparison, Comparison]) -> bool:
    return all(test.smallest == 1 for test in both)


def _test(pair: Pair, both: tuple[Comparison, Comparison] | None, each: float) -> Test:
    if not pair.now.results or pair.now.left_out:
        return Test(pair=pair, answer="no data")
    if both is None:
        return Test(pair=pair, answer="too few")
    kindly, harshly = both
    p = {"p_value": kindly.p_value, "p_least": harshly.p_value}
    if kindly.shown(each):
        return Test(pair=pair, answer="worse", **p)
    before, now = len(pair.before.badness), len(pair.now.badness)
    # With ties the worst that there can be may prove too little, though there are runs enough.
    most = kindly.p_value == kindly.smallest and not _settled(both)
    if before < runs_needed(now, each) or (most and not kindly.can_show(each)):
        return Test(pair=pair, answer="too few", **p)
    return Test(pair=pair, answer="too coarse" if harshly.shown(each) else "not shown", **p)
