"""What repeated runs show: exact, free of any assumption on how times are distributed. Pure.

Nothing here knows a normal curve. All that is assumed is that the trials are alike and that none
knows of another. Every probability is computed in whole numbers and rounded against the claim, so
that what is stated is never better than the evidence. A time of `math.inf` (never recovered within
what was observed) is allowed everywhere and sorts last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from statistics import median

KEPT = 4096  # answers that are kept, since the same few are asked for again and again
STEPS = 10**6  # bounds of a share are told in such parts of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether some values are greater than others by more than was allowed."""

    p_value: float  # how likely so great a difference is if they are not
    smallest: float  # the least p-value that so few values can give, however different they are
    shift: float  # how much greater they are, in the unit of the values; inf where one has no end

    def shown(self, confidence: float) -> bool:
        """Whether it is shown with that confidence, above 0 and below 1."""
        return _exact(self.p_value) <= 1 - _exact(confidence)

    def can_show(self, confidence: float) -> bool:
        """Whether so few values could show it at all; otherwise more runs are needed."""
        return _exact(self.smallest) <= 1 - _exact(confidence)


def confidence_of(passes: int, trials: int, share: float) -> float:
    """The confidence that at least that `share` of all such trials passes, 0 to 1.

    One-sided and exact [Clopper and Pearson, Biometrika 26 (1934)]: had fewer than `share`, so many
    passes would come with a probability of at most one less this. With no failure it is
    `1 - share ** trials` [Wilks, Annals of Mathematical Statistics 12 (1941)].
    """
    _demand(passes, trials)
    return float(1 - _at_least(passes, trials, _exact(share)))


def shows(passes: int, trials: int, share: float, confidence: float) -> bool:
    """Whether that many passes show it with that confidence, decided in whole numbers."""
    _demand(passes, trials)
    return 1 - _at_least(passes, trials, _exact(share)) >= _exact(confidence)


def refutes(passes: int, trials: int, share: float, confidence: float) -> bool:
    """Whether so few passes show with that confidence that less than that share of all passes."""
    _demand(passes, trials)
    return _at_least(passes + 1, trials, _exact(share)) > _exact(confidence)


@lru_cache(KEPT)
def trials_needed(share: float, confidence: float, failures: int = 0) -> int:
    """The least number of trials that shows it in spite of so many failures; 29 for 90 % at 95 %.

    `share` and `confidence` lie above 0 and below 1.
    """
    few, many = failures, failures + 1
    while not shows(many - failures, many, share, confidence):
        few, many = many, many * 2
    while many - few > 1:
        half = (few + many) // 2
        enough = shows(half - failures, half, share, confidence)
        few, many = (few, half) if enough else (half, many)
    return many


@lru_cache(KEPT)
def failures_allowed(trials: int, share: float, confidence: float) -> int:
    """How many of the trials may fail so that the rest shows it; -1: not even with none failed."""
    allowed = -1
    while allowed < trials and shows(trials - allowed - 1, trials, share, confidence):
        allowed += 1
    return allowed


@lru_cache(KEPT)
def least_share(passes: int, trials: int, confidence: float) -> float:
    """The greatest share that is shown to pass, rounded down (one-sided Clopper-Pearson)."""
    low, high = 0, STEPS + 1
    while high - low > 1:
        half = (low + high) // 2
        shown = half < STEPS and shows(passes, trials, half / STEPS, confidence)
        low, high = (half, high) if shown else (low, half)
    return low / STEPS


def most_share(passes: int, trials: int, confidence: float) -> float:
    """The least share that is shown not to be exceeded, rounded up."""
    return round(1 - least_share(trials - passes, trials, confidence), 6)


def quantile_at_most(values: Sequence[float], share: float, confidence: float) -> float:
    """What that share of all such times stays within, with that confidence; inf: cannot be said.

    The least order statistic that is such a bound [Wilks 1941; David and Nagaraja, Order
    Statistics, 3rd ed. (2003), 7.1], whatever the distribution. Times known as intervals: give the
    upper ends here and the lower ones to `quantile_at_least`.
    """
    return (*sorted(values), math.inf)[_rank_at_most(len(values), share, confidence) - 1]


def quantile_at_least(
    values: Sequence[float], share: float, confidence: float, floor: float = 0.0
) -> float:
    """What that quantile is not below, with that confidence; `floor`, which nothing is below,
    where so few values cannot say.
    """
    rank = _rank_at_least(len(values), share, confidence)
    return sorted(values)[rank - 1] if rank else floor


def nearest_rank(values: int, share: float) -> int:
    """The rank, from 1, of that quantile of so many values: the least that covers the share."""
    return max(1, math.ceil(_exact(share) * values))


def worse(before: Sequence[float], now: Sequence[float], by: float = 0.0) -> Comparison:
    """Whether the values of `now` are greater than those of `before` by more than `by`.

    One-sided exact rank test [Mann and Whitney, Annals of Mathematical Statistics 18 (1947)]: of
    all ways to tell the values apart into so many and so many, the share of those that look at
    least as bad. Ties share their ranks, and are counted exactly [Streitberg and Roehmel, 1986].
    `by` is in the unit of the values; for a share give `before` times one plus it, and no `by`.
    Times known as intervals: the upper ends of `before` and the lower ends of `now` never
    exaggerate. Assumes that runs do not know of each other. Raises ValueError when one is empty.
    """
    if not before or not now:
        raise ValueError("a comparison needs at least one value on each side")
    allowed = [value + by for value in before]
    ranks = _doubled_ranks([*allowed, *now])
    total = math.comb(len(ranks), len(now))
    counts = _sums(tuple(sorted(ranks)), len(now))
    observed, most = sum(ranks[len(before) :]), sum(sorted(ranks)[-len(now) :])
    return Comparison(
        p_value=sum(n for of, n in counts if of >= observed) / total,
        smallest=sum(n for of, n in counts if of >= most) / total,
        shift=median(_difference(a, b) for a in now for b in before),
    )


def _demand(passes: int, trials: int) -> None:
    if not 0 <= passes <= trials:
        raise ValueError(f"{passes} of {trials} trials cannot have passed")


def _exact(share: float) -> Fraction:
    """99.9 % as it was written, which no float is."""
    return Fraction(share).limit_denominator(10**9)


@lru_cache(KEPT)
def _at_least(passes: int, trials: int, share: Fraction) -> Fraction:
    """How likely so many passes or more are when that share of all passes."""
    good, bad = share.numerator, share.denominator - share.numerator
    ways = (math.comb(trials, n) * good**n * bad ** (trials - n) for n in range(passes, trials + 1))
    return Fraction(sum(ways), share.denominator**trials)


@lru_cache(KEPT)
def _rank_at_most(trials: int, share: float, confidence: float) -> int:
    """The least rank, from 1, whose value is no less than the quantile; `trials + 1`: none is."""
    ranks = range(1, trials + 1)
    return next((r for r in ranks if shows(r, trials, share, confidence)), trials + 1)


@lru_cache(KEPT)
def _rank_at_least(trials: int, share: float, confidence: float) -> int:
    """The greatest rank, from 1, whose value is no more than the quantile; 0: none is."""
    wanted = _exact(confidence)
    enough = (r for r in range(trials, 0, -1) if _at_least(r, trials, _exact(share)) >= wanted)
    return next(enough, 0)


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each, so that the mean rank of equal ones is a whole number."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, below = [0] * len(values), 0
    for _, equal in groupby(order, key=values.__getitem__):
        places = list(equal)
        for place in places:
            ranks[place] = 2 * below + len(places) + 1
        below += len(places)
    return ranks


@lru_cache(KEPT)
def _sums(ranks: tuple[int, ...], chosen: int) -> tuple[tuple[int, int], ...]:
    """Each sum that so many of the ranks can have, and in how many ways.

    A polynomial in one long number: its coefficients lie side by side, each with room for all ways.
    """
    width = len(ranks) + 1
    ways = [1] + [0] * chosen
    for rank in ranks:
        for size in range(chosen, 0, -1):
            ways[size] += ways[size - 1] << (rank * width)
    return tuple(_coefficients(ways[chosen], width))


def _coefficients(packed: int, width: int) -> Iterator[tuple[int, int]]:
    bits = f"{packed:b}"
    for at in range(0, len(bits), width):
        end = len(bits) - at
        if n := int(bits[max(0, end - width) : end], 2):
            yield at // width, n


def _difference(now: float, before: float) -> float:
    return 0.0 if now == before else now - before
