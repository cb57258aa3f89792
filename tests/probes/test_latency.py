"""Latency percentiles are those of the nearest rank, and an attempt belongs where it began."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.latency import Latency, latencies, percentile
from probes.probe import Sample


def sample(start: float, took: float, *, ok: bool = True, crashed: bool = False) -> Sample:
    return Sample(probe="p", n=0, due=start, start=start, end=start + took, ok=ok, crashed=crashed)


def test_each_attempt_belongs_where_it_began() -> None:
    samples = [sample(0, 1), sample(1, 9), sample(2, 4), sample(5, 4), sample(7, 8)]
    told = latencies(samples, injected=2, lifted=5)
    assert told["before"] == Latency(count=2, p50=1, p95=9, p99=9, max=9)
    assert told["during"] == Latency(count=1, p50=4, p95=4, p99=4, max=4)
    assert told["after"] == Latency(count=2, p50=4, p95=8, p99=8, max=8)


def test_only_good_attempts_count() -> None:
    told = latencies([sample(0, 1, ok=False), sample(1, 2, crashed=True)], injected=0, lifted=None)
    assert set(told.values()) == {Latency(count=0)}


def test_without_an_injection_all_is_before_it() -> None:
    assert latencies([sample(9, 1)], injected=None, lifted=None)["before"].count == 1


def test_without_a_lifting_nothing_is_after_it() -> None:
    told = latencies([sample(0, 1), sample(9, 1)], injected=1, lifted=None)
    assert (told["before"].count, told["during"].count, told["after"].count) == (1, 1, 0)


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 15), (5, 15), (30, 20), (40, 20), (50, 35), (100, 50)]
)
def test_nearest_rank(percent: float, expected: float) -> None:
    """The textbook's example: the 5th, 30th, 40th, 50th and 100th of five values."""
    assert percentile([15, 20, 35, 40, 50], percent) == expected


@given(st.lists(st.floats(0, 100), min_size=1).map(sorted), st.sampled_from([50, 95, 99]))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(
    ordered: list[float], percent: int
) -> None:
    wanted = math.ceil(Fraction(percent, 100) * len(ordered))
    least = min(v for v in ordered if sum(other <= v for other in ordered) >= wanted)
    assert percentile(ordered, percent) == least
