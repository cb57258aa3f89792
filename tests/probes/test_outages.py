"""Outages, time down and availability of few attempts: every edge by hand."""

from __future__ import annotations

import pytest
from attempts import DOWN, UP, attempt, row

from probes.outages import Interval, Outage, availability, downtime, longest_gap, outages
from probes.probe import Sample

ZERO = Interval(0, 0)


def outage(began: tuple[float, float], ended: tuple[float, float] | None, count: int) -> Outage:
    return Outage(began=Interval(*began), ended=Interval(*ended) if ended else None, count=count)


OUTAGES: dict[str, tuple[list[Sample], list[Outage]]] = {
    "nothing seen": ([], []),
    "always good": (row("+++"), []),
    "only crashes": (row("???"), []),
    "one bad attempt": (row("+-+"), [outage((0, 1.25), (1, 2.25), 1)]),
    "several": (row("+---+"), [outage((0, 1.25), (3, 4.25), 3)]),
    "a crash in between changes nothing": (row("+-?-+"), [outage((0, 1.25), (3, 4.25), 2)]),
    "down from the first attempt on": (row("--+"), [outage((0, 0.25), (1, 2.25), 2)]),
    "never good": (row("--"), [outage((0, 0.25), None, 2)]),
    "down at the end": (row("++--"), [outage((1, 2.25), None, 2)]),
    "flapping": (
        row("+-+-+"),
        [outage((0, 1.25), (1, 2.25), 1), outage((2, 3.25), (3, 4.25), 1)],
    ),
    "hanging attempts overlap good ones, once one of them has ended": (
        [
            *(attempt(n, n + 3, DOWN) for n in range(5)),
            *(attempt(n, n + 0.25, UP) for n in range(5, 9)),
        ],
        [outage((0, 3), (4, 5.25), 5)],
    ),
    "a good answer while the only bad attempt hangs may be older than the outage": (
        [attempt(0, 3, DOWN), *(attempt(n, n + 0.25, UP) for n in range(1, 5))],
        [outage((0, 3), (0, 3.25), 1)],
    ),
    "an attempt begun before the outage and ended in it may be good or bad": (
        [attempt(0, 2.5, DOWN), attempt(1, 1.25, UP), attempt(2, 2.25, DOWN)],
        [outage((1, 2.25), None, 2)],
    ),
    "a slow good attempt that began among bad ones and ended after them is no flap": (
        [attempt(0, 0.25, DOWN), attempt(1, 3.5, UP), attempt(2, 2.25, DOWN), attempt(3, 3.25, UP)],
        [outage((0, 0.25), (2, 3.25), 2)],
    ),
    "a quick good attempt among bad ones is a flap": (
        [
            attempt(0, 0.25, DOWN),
            attempt(1, 1.25, UP),
            attempt(2, 2.25, DOWN),
            attempt(3, 3.25, UP),
        ],
        [outage((0, 0.25), (0, 1.25), 1), outage((1, 2.25), (2, 3.25), 1)],
    ),
    "attempts that take no time": (
        [attempt(0, 0, UP), attempt(1, 1, DOWN), attempt(2, 2, UP)],
        [outage((0, 1), (1, 2), 1)],
    ),
    "a bad attempt ends in the instant in which a good one is made": (
        [attempt(0, 2, DOWN), attempt(2, 2, UP)],
        [outage((0, 2), (0, 2), 1)],
    ),
    "of two that contradict each other in one instant the bad one is believed": (
        [attempt(1, 1, DOWN), attempt(1, 1, UP)],
        [outage((1, 1), None, 1)],
    ),
}


@pytest.mark.parametrize(("samples", "expected"), OUTAGES.values(), ids=OUTAGES)
def test_outages_of_few_attempts(samples: list[Sample], expected: list[Outage]) -> None:
    assert outages(samples) == expected


def test_time_down_is_counted_within_the_window() -> None:
    samples = row("+--+++--")
    assert downtime(samples, (0, 8)) == Interval(0.75 + 1.75, 3.25 + 3)
    assert downtime(samples, (1.5, 1.75)) == Interval(0.25, 0.25)
    assert downtime(samples, (4, 5)) == ZERO
    assert downtime(row("+-+-+-+-+-+"), (1, 11)).high == 10
    assert downtime([], (0, 8)) == ZERO


def test_availability_is_the_fraction_of_attempts_begun_in_the_window() -> None:
    samples = row("-++-?-+-")
    assert availability(samples, (1, 7)) == 3 / 5
    assert availability(samples, (4, 5)) is None
    assert availability([], (0, 1)) is None
    assert availability([attempt(0, 2, UP), attempt(1, 9, UP), attempt(2, 3, DOWN)], (1, 3)) == 0.5


def test_the_longest_gap_counts_the_edges_of_the_window() -> None:
    samples = row(" ++  ?++")
    assert longest_gap(samples, (0, 8)) == 3
    assert longest_gap(samples, (2, 4)) == 2
    assert longest_gap(samples, (5, 12)) == 5
    assert longest_gap([], (2, 9)) == 7
    assert longest_gap([attempt(3, 12, UP)], (2, 9)) == 6


def test_an_interval_counted_from_a_later_moment_does_not_go_below_zero() -> None:
    assert Interval(3, 5).since(2) == Interval(1, 3)
    assert Interval(3, 5).since(4) == Interval(0, 1)
    assert Interval(3, 5).since(6) == ZERO
