"""Statistics of trials: against counting all cases, published tables, and by simulation."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product

import pytest

from chaos.statistics import (
    confidence_of,
    failures_allowed,
    least_share,
    most_share,
    nearest_rank,
    quantile_at_least,
    quantile_at_most,
    refutes,
    shows,
    trials_needed,
    worse,
)


def chance_of(passes: int, trials: int, share: Fraction) -> Fraction:
    """So many passes or more, by going through every course of so many trials."""
    total = Fraction(0)
    for course in product((True, False), repeat=trials):
        if sum(course) >= passes:
            good = sum(course)
            total += share**good * (1 - share) ** (trials - good)
    return total


@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(9, 10), Fraction(99, 100)])
@pytest.mark.parametrize("trials", [1, 3, 8])
def test_the_confidence_is_that_of_counting_every_course(trials: int, share: Fraction) -> None:
    for passes in range(trials + 1):
        wanted = 1 - chance_of(passes, trials, share)
        assert confidence_of(passes, trials, float(share)) == pytest.approx(
            float(wanted), abs=1e-15
        )


@pytest.mark.parametrize(
    ("share", "confidence", "failures", "trials"),
    [
        # 95/95 takes 59, 93 and 124: the sizes that nuclear safety takes from Wilks [Nutt and
        # Wallis, Reliability Engineering and System Safety 83 (2004)]. The others: ln α / ln p.
        (0.95, 0.95, 1, 93),
        (0.95, 0.95, 2, 124),
        (0.90, 0.95, 0, 29),
        (0.95, 0.95, 0, 59),
        (0.99, 0.95, 0, 299),
        (0.90, 0.90, 0, 22),
        (0.95, 0.90, 0, 45),
        (0.99, 0.90, 0, 230),
        (0.99, 0.99, 0, 459),
        (0.75, 0.95, 0, 11),
        (0.50, 0.95, 0, 5),
        (0.90, 0.95, 1, 46),
        (0.90, 0.95, 2, 61),
    ],
)
def test_how_many_trials_are_needed_is_what_tables_say(
    share: float, confidence: float, failures: int, trials: int
) -> None:
    assert trials_needed(share, confidence, failures) == trials
    assert failures_allowed(trials, share, confidence) == failures
    assert failures_allowed(trials - 1, share, confidence) == failures - 1


def test_29_of_29_show_it_and_28_of_28_do_not() -> None:
    assert confidence_of(29, 29, 0.9) == pytest.approx(0.9529, abs=1e-4)
    assert shows(29, 29, 0.9, 0.95)
    assert not shows(28, 28, 0.9, 0.95)
    assert not shows(28, 29, 0.9, 0.95)


def test_a_confidence_that_is_just_reached_is_reached_in_spite_of_floats() -> None:
    assert 1 - 0.9**2 < 0.19  # in floats it is missed
    assert shows(2, 2, 0.9, 0.19)
    assert not shows(2, 2, 0.9, 0.19 + 1e-9)


@pytest.mark.parametrize(
    ("passes", "trials", "least", "most"),
    # Clopper and Pearson's two-sided interval of 95 %, as in every table of it.
    [(0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0)],
)
def test_the_bounds_of_a_share_are_clopper_and_pearsons(
    passes: int, trials: int, least: float, most: float
) -> None:
    assert least_share(passes, trials, 0.975) == pytest.approx(least, abs=1e-4)
    assert most_share(passes, trials, 0.975) == pytest.approx(most, abs=1e-4)


def test_a_share_is_refuted_only_by_what_could_hardly_be() -> None:
    assert refutes(0, 2, 0.9, 0.95)  # 1 % of chance
    assert not refutes(1, 2, 0.9, 0.95)  # 19 %
    assert not refutes(0, 2, 0.5, 0.75)  # just 25 %: half of them may pass
    assert not any(shows(k, 29, 0.9, 0.95) and refutes(k, 29, 0.9, 0.95) for k in range(30))


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="5 of 4 trials"):
        confidence_of(5, 4, 0.9)


DISTRIBUTIONS: dict[str, tuple[Callable[[random.Random], float], Callable[[float], float]]] = {
    "uniform": (lambda r: r.random(), lambda p: p),
    "exponential": (lambda r: r.expovariate(1.0), lambda p: -math.log(1 - p)),
    "cauchy": (
        lambda r: math.tan(math.pi * (r.random() - 0.5)),
        lambda p: math.tan(math.pi * (p - 0.5)),
    ),
    # Two values: three of four outages take 1 s, the rest never ends.
    "censored": (
        lambda r: 1.0 if r.random() < 0.75 else math.inf,
        lambda p: 1.0 if p <= 0.75 else math.inf,
    ),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize(("share", "trials"), [(0.5, 10), (0.9, 29), (0.75, 20)])
def test_the_bounds_of_a_quantile_hold_as_often_as_they_say(
    name: str, share: float, trials: int
) -> None:
    draw, quantile = DISTRIBUTIONS[name]
    rng, sets, truth = random.Random(f"{name}{share}"), 1500, quantile(share)
    held_above = held_below = 0
    for _ in range(sets):
        seen = [draw(rng) for _ in range(trials)]
        held_above += quantile_at_most(seen, share, 0.95) >= truth
        held_below += quantile_at_least(seen, share, 0.95, floor=-math.inf) <= truth
    least = 0.95 - 3 * math.sqrt(0.95 * 0.05 / sets)  # three standard deviations of chance
    assert held_above / sets >= least
    assert held_below / sets >= least


def test_too_few_values_bound_no_quantile() -> None:
    assert quantile_at_most([1.0] * 28, 0.9, 0.95) == math.inf
    assert quantile_at_most([*[1.0] * 28, 2.0], 0.9, 0.95) == 2.0
    assert quantile_at_least([5.0], 0.5, 0.95) == 0.0
    assert [nearest_rank(10, share) for share in (0.5, 0.9, 0.99)] == [5, 9, 10]


def brute(before: list[float], now: list[float]) -> float:
    """The share of all ways to choose so many of the values whose ranks sum to as much."""
    values = [*before, *now]
    ranks = [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]
    observed = sum(ranks[len(before) :])
    sums = [sum(chosen) for chosen in combinations(ranks, len(now))]
    return sum(s >= observed - 1e-9 for s in sums) / len(sums)


def test_worse_counts_every_way_to_tell_the_values_apart() -> None:
    rng = random.Random(6)
    for _ in range(60):
        values = [rng.choice([1.0, 2.0, 2.5, 3.0, math.inf]) for _ in range(rng.randint(2, 8))]
        cut = rng.randint(1, len(values) - 1)
        before, now = values[:cut], values[cut:]
        assert worse(before, now).p_value == pytest.approx(brute(before, now), abs=1e-12)


def test_worse_agrees_with_the_published_table() -> None:
    # Mann and Whitney's table for 5 and 5: U of 4 or less has 0.048, of 5 or less 0.075.
    before, now = [1.0, 2.0, 3.0, 6.0, 7.0], [4.0, 5.0, 8.0, 9.0, 10.0]
    assert worse(before, now).p_value == pytest.approx(0.048, abs=5e-4)
    before, now = [1.0, 2.0, 3.0, 6.0, 8.0], [4.0, 5.0, 7.0, 9.0, 10.0]
    assert worse(before, now).p_value == pytest.approx(0.075, abs=5e-4)


def test_one_new_run_needs_nineteen_before_it() -> None:
    before = [float(n) for n in range(19)]
    found = worse(before, [100.0])
    assert found.p_value == found.smallest == 0.05
    assert found.shown(0.95)
    assert not worse(before[:18], [100.0]).can_show(0.95)


def test_what_was_allowed_is_no_worse() -> None:
    before, now = [10.0, 11.0, 12.0, 13.0], [20.0, 21.0, 22.0, 23.0]
    assert worse(before, now, by=5.0).p_value == pytest.approx(1 / 70)
    assert worse(before, now, by=10.0).p_value == pytest.approx(brute(now, now))
    assert not worse(before, now, by=20.0).shown(0.5)
    assert worse(before, now).shift == 10.0
    assert worse([1.0, math.inf], [math.inf, math.inf]).shift == math.inf
    with pytest.raises(ValueError, match="at least one value"):
        worse([], [1.0])


def test_worse_cries_wolf_no_more_often_than_it_says() -> None:
    rng, cries, times = random.Random(19), 0, 1500
    for _ in range(times):
        values = [round(rng.expovariate(1.0), 1) for _ in range(12)]
        cries += worse(values[:8], values[8:]).shown(0.95)
    assert cries / times <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / times)
