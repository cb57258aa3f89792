"""Which region answered when: away from home under a fault, and home again."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.failover import Failover, failover
from probes.outages import Interval
from probes.probe import Sample

FROM = {"E": "us-east-1", "W": "us-west-2", "N": "eu-north-1"}


def row(signs: str) -> list[Sample]:
    """An attempt a second, of a quarter: a letter is the region, + a nameless answer, - is bad."""
    return [
        Sample(
            probe="page",
            n=n,
            due=n,
            start=n,
            end=n + 0.25,
            ok=sign != "-",
            detail={"region": FROM[sign]} if sign in FROM else {},
        )
        for n, sign in enumerate(signs)
    ]


def moved(signs: str, *, injected: float = 3, lifted: float | None = 10) -> Failover | None:
    until = math.inf if lifted is None else lifted
    return failover(row(signs), injected=injected, until=until, lifted=lifted, confirm=2)


def test_away_and_home_again() -> None:
    found = moved("EEE--WWWWWWWWEEEE")
    assert found is not None
    assert (found.home, found.to) == (("us-east-1",), "us-west-2")
    assert found.away.after == Interval(1, 2.25)
    assert found.back == Interval(2, 3.25)


def test_a_first_answer_from_elsewhere_counts_though_it_did_not_last() -> None:
    found = moved("EEE-W--WWEWWWEEEE")
    assert found is not None
    assert found.away.after == Interval(0, 1.25)
    assert found.back == Interval(2, 3.25)


def test_who_never_moved() -> None:
    found = moved("EEE-------EEEE")
    assert found is not None
    assert (found.to, found.away.kind) == (None, "unseen")
    assert found.back == Interval(0, 0.25)


def test_who_stays_away() -> None:
    found = moved("EEE--WWWWWWWWWW")
    assert found is not None
    assert found.back is not None
    assert found.back.high == math.inf


def test_home_is_not_proven_by_one_answer() -> None:
    found = moved("EEE--WWWWWWWWWE")
    assert found is not None
    assert found.back is not None
    assert found.back.high == math.inf


def test_a_fault_that_nothing_lifts_has_no_way_back() -> None:
    found = moved("EEE--WWWW", lifted=None)
    assert found is not None
    assert (found.away.kind, found.back) == ("seen", None)


@pytest.mark.parametrize(("before", "home"), [("EWE", ("us-east-1", "us-west-2")), ("---", ())])
def test_without_one_home_nothing_moves(before: str, home: tuple[str, ...]) -> None:
    assert moved(f"{before}--WWWWWWWWEEEE") == Failover(home=home)


def test_answers_that_name_no_region_tell_nothing() -> None:
    assert moved("+++--++++++++") is None
    found = moved("EEE--+++WWWWWEEEE")
    assert found is not None
    assert found.away.after == Interval(1, 5.25)  # the nameless ones are no evidence


def test_a_probe_that_broke_has_seen_nobody() -> None:
    samples = row("EEE--WWWWWWWWEEEE")
    samples[5] = replace(samples[5], crashed=True)
    found = failover(samples, injected=3, until=10, lifted=10, confirm=2)
    assert found is not None
    assert found.away.after == Interval(1, 3.25)


@given(st.data())
def test_the_truth_lies_in_the_intervals(data: st.DataObject) -> None:
    """A system that is down from 10, answers elsewhere from `away`, and at home from `back`."""
    away = data.draw(st.floats(11, 20))
    back = data.draw(st.floats(31, 40))
    samples = []
    for n in range(60):
        took, when = data.draw(st.floats(0, 3)), data.draw(st.floats(0, 1))
        at = n + took * when  # the instant of which the attempt tells
        name = "E" if at < 10 or at >= back else "W" if at >= away else None
        samples.append(
            Sample(
                probe="page",
                n=n,
                due=n,
                start=n,
                end=n + took,
                ok=name is not None,
                detail={"region": FROM[name]} if name else {},
            )
        )
    found = failover(samples, injected=10, until=30, lifted=30, confirm=3)
    assert found is not None
    assert found.to == "us-west-2"
    assert found.away.after is not None
    assert found.back is not None
    slack = 1e-9
    assert found.away.after.low - slack <= away - 10 <= found.away.after.high + slack
    assert found.back.low - slack <= back - 30 <= found.back.high + slack


def test_an_attempt_that_was_answered_from_elsewhere_but_begun_before_is_no_earlier_answer() -> (
    None
):
    """It hung when the fault came, and went elsewhere then: before it home alone answered."""
    straddling = replace(row("EEE")[2], start=2.5, end=5.0, detail={"region": "us-west-2"})
    samples = [*row("EE"), straddling, *row("EEE-WWWWWWWEEEE")[3:]]
    found = failover(samples, injected=3, until=10, lifted=10, confirm=2)
    assert found is not None
    assert found.home == ("us-east-1",)
    assert found.away.kind == "seen"
    assert found.away.after == Interval(0, 1.25)
