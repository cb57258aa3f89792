"""What a promise came to now and before, side by side."""

from __future__ import annotations

import math

import pytest
from results.past import days, kept, promise

from chaos.results import RunResult
from chaos.results.comparing import changed, comparable, pairs
from probes.outages import Interval


def test_two_runs_differ_by_an_interval() -> None:
    (pair,) = pairs([kept(2, promise(60.0, 61.0))], [kept(1, promise(40.0, 42.0))])
    assert (pair.probe, pair.objective) == ("playback", "rto")
    assert pair.difference == Interval(18.0, 21.0)


def test_of_several_runs_the_median_lies_in_an_interval() -> None:
    before = [kept(n, promise(low, low + 1)) for n, low in enumerate((40.0, 90.0, 42.0, 41.0))]
    (pair,) = pairs(days(50.0), before)
    assert pair.before.middle == Interval(41.0, 43.0)
    assert pair.before.reach == Interval(40.0, 91.0)
    assert pair.difference == Interval(7.0, 9.0)


def test_what_has_no_end_has_no_difference() -> None:
    (pair,) = pairs([kept(2, promise(90.0, math.inf))], days(40.0))
    assert pair.difference is None


def test_what_proves_nothing_is_left_out_and_counted() -> None:
    spoilt = kept(2, promise(1.0), doubted=frozenset({"playback"}))
    (pair,) = pairs(days(40.0), [*days(50.0), spoilt, kept(3)])
    assert (len(pair.before.results), pair.before.left_out) == (1, 2)


def test_to_be_steady_again_is_no_promise_of_the_experiment() -> None:
    again = promise(3.0, objective="recover_within")
    assert [p.objective for p in pairs([kept(1, promise(40.0), again)], [])] == ["rto"]


def test_what_else_is_not_as_it_was_is_told() -> None:
    now = kept(2, tool="0.2.0", sha256="cd34" * 16, variables={"b": "2", "a": "1"})
    assert changed([now], [kept(1)]) == {
        "text of the experiment": (["sha256 ab12ab12ab12"], ["sha256 cd34cd34cd34"]),
        "variables": ([""], ["a=1, b=2"]),
        "version of chaos": (["0.1.0"], ["0.2.0"]),
    }
    assert changed([now], [now]) == changed([now], []) == {}


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (kept(1, sha256="cd34" * 16, tool="0.2.0"), True),
        (kept(1, experiment="other"), False),
        (kept(1, environment="localstack"), False),
        (kept(1, speed=1.0), False),
    ],
)
def test_figures_mean_the_same_where_name_place_and_speed_do(other: RunResult, alike: bool) -> None:
    assert comparable(kept(2), other) is alike
