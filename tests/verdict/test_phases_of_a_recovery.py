"""The objectives of the phases: moved elsewhere, at full capacity, home again, marked in time."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from histories import FAILOVER, NO_FAILOVER, but, run

from chaos.history import History
from chaos.marks import Mark
from chaos.verdict import Result, judge
from probes.outages import Interval

FROM = {"E": "us-east-1", "W": "us-west-2"}
MOVES = "EEEE---WWWWWWWWWWWEEEEEE"  # a fault from 3 to 15.25: elsewhere at 7, home again at 18


def judged(objective: str, wanted: float, seen: str) -> Result:
    signs = "".join(" " if sign == " " else "-" if sign == "-" else "+" for sign in seen)
    history = run({"page": {objective: wanted}}, page=signs)
    history.samples["page"] = tuple(
        replace(s, detail={"region": FROM[seen[s.n]]} if seen[s.n] in FROM else {})
        for s in history.samples["page"]
    )
    return next(r for r in judge(history).results if r.objective == objective)


@pytest.mark.parametrize(
    ("wanted", "seen", "value", "reason"),
    [
        (5.0, MOVES, "held", "was answered from elsewhere after 3 s to 4.2 s, 5 s allowed"),
        (2.0, MOVES, "broken", "was answered from elsewhere after 3 s to 4.2 s, 2 s allowed"),
        (
            4.0,
            MOVES,
            "unknown",
            (
                "was answered from elsewhere after 3 s to 4.2 s, 4 s allowed; too close to the"
                " objective to tell: probe more often"
            ),
        ),
        (
            5.0,
            "EEEE-----------EEEEEEEEE",
            "broken",
            "was never answered from elsewhere: more than 11 s, 5 s allowed",
        ),
        (
            5.0,
            "EWEE-----------EEEEEEEEE",
            "unknown",
            "was answered from us-east-1, us-west-2 before the fault: no region is home",
        ),
        (
            5.0,
            "++++---+++++++++++++++++",
            "unknown",
            "gave no answer that names its region before the fault, or none while it was on",
        ),
    ],
)
def test_failing_over(wanted: float, seen: str, value: str, reason: str) -> None:
    found = judged("fails_over_within", wanted, seen)
    assert (found.value, found.reason) == (value, f"page {reason}")


@pytest.mark.parametrize(
    ("wanted", "seen", "value", "reason"),
    [
        (
            4.0,
            MOVES,
            "held",
            (
                "was answered from us-east-1 alone 1.8 s to 3 s after the fault was lifted, 4 s"
                " allowed"
            ),
        ),
        (
            1.0,
            MOVES,
            "broken",
            (
                "was answered from us-east-1 alone 1.8 s to 3 s after the fault was lifted, 1 s"
                " allowed"
            ),
        ),
        (
            2.0,
            MOVES,
            "unknown",
            (
                "was answered from us-east-1 alone 1.8 s to 3 s after the fault was lifted, 2 s"
                " allowed; too close to the objective to tell: probe more often"
            ),
        ),
        (
            4.0,
            "EEEE---WWWWWWWWWWWWWWWWW",
            "broken",
            (
                "was not shown to be answered from us-east-1 again: more than 7.8 s after the fault"
                " was lifted, 4 s allowed"
            ),
        ),
        (
            4.0,
            "EEEE---WWWWWWWWW        ",
            "unknown",
            "gave no answer that names its region after the lifting",
        ),
        (
            4.0,
            "WEEE---WWWWWWWWWWWEEEEEE",
            "unknown",
            "was answered from us-east-1, us-west-2 before the fault: no region is home",
        ),
    ],
)
def test_failing_back(wanted: float, seen: str, value: str, reason: str) -> None:
    found = judged("fails_back_within", wanted, seen)
    assert (found.value, found.reason) == (value, f"page {reason}")


def test_a_fault_that_was_not_lifted_lets_nobody_come_home() -> None:
    history = run({"page": {"fails_back_within": 4.0}}, but(faults=()), page=FAILOVER)
    (found,) = (r for r in judge(history).results if r.objective == "fails_back_within")
    assert found.reason == "page cannot be judged: the fault was not lifted"


@pytest.mark.parametrize(("seen", "value"), [(FAILOVER, "held"), (NO_FAILOVER, "broken")])
def test_full_capacity_is_judged_as_a_recovery_is(seen: str, value: str) -> None:
    history = run({"capacity": {"full_capacity_within": 6.0}}, capacity=seen)
    assert judge(history).value == value


def with_marks(*marks: Mark, within: float = 5.0) -> History:
    history = run({"page": {"rto": 6.0}}, but(marks=marks), page=FAILOVER)
    history.experiment["marks"] = {"decided": within}
    return history


def decided(low: float, high: float) -> Mark:
    return Mark(what="decided", at=Interval(low, high), by="kim@console")


@pytest.mark.parametrize(
    ("history", "value", "reason"),
    [
        (with_marks(decided(5, 6)), "held", "was marked after 2 s to 3 s, 5 s allowed"),
        (with_marks(decided(9, 10)), "broken", "was marked after 6 s to 7 s, 5 s allowed"),
        (
            with_marks(decided(7, 9)),
            "unknown",
            "was marked after 4 s to 6 s, 5 s allowed; too close to the objective to tell",
        ),
        (with_marks(decided(1, 2)), "unknown", "was marked before anything was broken"),
        (
            with_marks(),
            "broken",
            "was not marked while the fault was on: more than 12 s, 5 s allowed",
        ),
        (
            with_marks(within=60.0),
            "unknown",
            "was not marked while the fault was on: more than 12 s, 60 s allowed",
        ),
    ],
)
def test_marks_of_people(history: History, value: str, reason: str) -> None:
    (found,) = (r for r in judge(history).results if r.objective == "marked_within")
    assert (found.probe, found.value, found.reason) == ("decided", value, f"decided {reason}")


def test_a_mark_that_nobody_made_came_later_than_the_fault_was_on_if_at_all() -> None:
    (found,) = (r for r in judge(with_marks()).results if r.objective == "marked_within")
    assert (found.measured, found.how) == (Interval(12, math.inf), "not marked")


def test_the_first_of_two_marks_counts() -> None:
    verdict = judge(with_marks(decided(5, 6), decided(9, 10)))
    assert verdict.value == "held"


def test_nothing_marked_is_put_to_the_test_before_something_is_broken() -> None:
    history = run({"page": {"rto": 6.0}}, but(pulls=(), faults=()), page=FAILOVER)
    history.experiment["marks"] = {"decided": 5.0}
    found = [r for r in judge(history).results if r.objective == "marked_within"]
    assert [r.reason for r in found] == ["decided was not put to the test"]
    assert not any(r.measured and r.measured.high == math.inf for r in found)
