"""The gate: no false alarm oftener than was allowed, and no answer where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from results.past import days, kept, promise

from chaos.results import RunResult
from chaos.results.comparing import pairs
from chaos.results.gate import Gate, judge, runs_needed, trials_needed


def gate(
    now: Sequence[RunResult],
    before: Sequence[RunResult],
    by: float = 0.2,
    confidence: float = 0.95,
) -> Gate:
    return judge(pairs(now, before), by, confidence)


def steady(n: int) -> list[RunResult]:
    """So many runs of about 40 s, none like another."""
    return days(*(40.0 + number / 10 for number in range(n)))


def now(figure: float, high: float | None = None) -> list[RunResult]:
    return [kept(90, promise(figure, high))]


@pytest.mark.parametrize(
    ("runs", "figure", "answer", "code"),
    [
        (19, 60.0, "worse", 1),
        (19, 45.0, "not shown", 0),  # slower than all, though by less than 20 %
        (19, 40.0, "not shown", 0),
        (18, 60.0, "too few", 3),
        (18, 30.0, "too few", 3),
        (0, 60.0, "too few", 3),
        (19, math.inf, "worse", 1),
    ],
)
def test_one_run_takes_nineteen_before_it(runs: int, figure: float, answer: str, code: int) -> None:
    found = gate(now(figure), steady(runs))
    assert (found.answer, found.exit_code) == (answer, code)
    assert found.needed == 19


@pytest.mark.parametrize(
    ("trials", "confidence", "before"), [(1, 0.95, 19), (1, 0.9, 9), (2, 0.95, 5), (3, 0.95, 3)]
)
def test_how_many_runs_it_takes(trials: int, confidence: float, before: int) -> None:
    assert runs_needed(trials, confidence) == before
    assert 1 / math.comb(before + trials, trials) <= 1 - confidence + 1e-9
    assert 1 / math.comb(before - 1 + trials, trials) > 1 - confidence
    assert trials_needed(before, confidence) <= trials


def test_a_few_trials_need_fewer_runs_before() -> None:
    trials = [kept(90 + n, promise(60.0 + n)) for n in range(3)]
    assert gate(trials, steady(3)).answer == "worse"
    assert gate(trials, steady(2)).answer == "too few"


def test_what_the_intervals_leave_open_is_not_guessed() -> None:
    before = days(*[40.0] * 19)
    assert gate(now(47.9), before).answer == "not shown"
    assert gate(now(47.9, 48.2), before).answer == "too coarse"
    assert gate(now(48.1, 48.6), before).answer == "worse"
    wide = [kept(n, promise(39.0, 41.0)) for n in range(19)]
    assert gate(now(48.1, 48.6), wide).answer == "too coarse"


def test_the_worst_that_there_can_be_may_prove_too_little() -> None:
    before = [*steady(18), *days(math.inf)]
    assert gate(now(math.inf), before).answer == "too few"
    assert gate(now(40.0), before).answer == "not shown"


def test_what_was_not_recovered_before_either_is_not_worse() -> None:
    never = days(*[math.inf] * 19)
    found = gate([kept(90, promise(90.0, math.inf))], never)
    assert (found.answer, found.exit_code) == ("not shown", 0)


def test_promises_that_are_tested_at_once_share_the_error_that_is_allowed() -> None:
    def both(day: int, rto: float, rpo: float) -> RunResult:
        return kept(day, promise(rto), promise(rpo, objective="rpo"))

    before = [both(n, 40.0 + n, 1.0 + n) for n in range(38)]
    found = gate([both(90, 900.0, 1.0)], before)
    assert (found.at_once, found.each, found.needed) == (2, 0.975, 39)
    assert found.answer == "too few"
    assert gate([both(90, 900.0, 1.0)], [*before, both(38, 41.0, 2.0)]).answer == "worse"


def test_what_is_the_same_in_all_runs_costs_the_others_nothing() -> None:
    def both(day: int, rto: float) -> RunResult:
        return kept(day, promise(rto), promise(0.0, objective="rpo"))

    found = gate([both(90, 60.0)], [both(n, 40.0 + n / 10) for n in range(19)])
    assert (found.at_once, found.answer) == (1, "worse")
    assert [test.answer for test in found.tests] == ["worse", "not shown"]
    # Nor does it pass where there are too few of them.
    assert gate(now(0.0), days(*[0.0] * 18)).answer == "too few"
    assert gate(now(0.0), days(*[0.0] * 19)).answer == "not shown"


def test_less_availability_is_worse() -> None:
    def share(day: int, of_all: float) -> RunResult:
        return kept(day, promise(of_all, objective="availability", wanted=0.4))

    before = [share(n, 0.9) for n in range(19)]
    assert gate([share(90, 0.87)], before).answer == "worse"
    assert gate([share(90, 0.885)], before).answer == "not shown"
    assert gate([share(90, 0.95)], before).answer == "not shown"


@pytest.mark.parametrize(
    "run",
    [
        kept(90, promise(60.0), doubted=frozenset({"playback"})),
        kept(90, promise(None)),
    ],
)
def test_a_figure_that_proves_nothing_is_no_answer(run: RunResult) -> None:
    found = gate([run], steady(30))
    assert (found.answer, found.exit_code) == ("no data", 3)
    # Nor is it an answer that the other trials of its set have figures.
    assert gate([run, *now(40.0)], steady(30)).answer == "no data"


def test_runs_before_that_prove_nothing_are_not_counted() -> None:
    spoilt = [kept(50, promise(99.0), doubted=frozenset({"playback"})), kept(51, promise(None))]
    found = gate(now(60.0), [*steady(18), *spoilt])
    assert found.answer == "too few"
    assert found.tests[0].pair.before.left_out == 2


def test_where_nothing_was_promised_nothing_is_passed() -> None:
    assert gate([kept(90)], steady(30)).exit_code == 3


@given(
    figures=st.lists(st.integers(0, 6), min_size=3, max_size=9),
    trials=st.integers(1, 2),
    confidence=st.sampled_from([0.5, 0.75, 0.9]),
)
def test_no_false_alarm_is_oftener_than_allowed(
    figures: list[int], trials: int, confidence: float
) -> None:
    """If any of the runs could as well be those of now, so many choices of them are an alarm."""
    from itertools import combinations

    runs = days(*map(float, figures))
    chosen = list(combinations(range(len(runs)), trials))
    alarms = sum(
        gate(
            [runs[n] for n in picked],
            [run for n, run in enumerate(runs) if n not in picked],
            0.0,
            confidence,
        ).answer
        == "worse"
        for picked in chosen
    )
    assert Fraction(alarms, len(chosen)) <= Fraction(1 - confidence).limit_denominator(1000)
