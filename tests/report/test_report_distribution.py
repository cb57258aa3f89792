"""Latencies counted in steps of a logarithmic scale."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.report.distribution import STEPS, distribution
from chaos.verdict import Times
from probes.probe import Sample

AT = Times(
    injected=10.0,
    complete=10.0,
    first_lifting=20.0,
    lifting=20.0,
    lifted=20.0,
    over=20.0,
    released=20.0,
)


def sample(start: float, took: float, *, ok: bool = True) -> Sample:
    return Sample(probe="p", n=0, due=start, start=start, end=start + took, ok=ok)


@pytest.mark.parametrize(
    ("seconds", "step"), [(1.0, 0), (1.2, 0), (1.3, 1), (9.99, 9), (10.0, 10), (0.0999, -11)]
)
def test_a_step_is_a_tenth_of_a_decade(seconds: float, step: int) -> None:
    assert distribution([sample(0.0, seconds)], AT)["before"] == [[step, 1]]


def test_each_answer_belongs_where_it_began() -> None:
    samples = [sample(9.9, 5.0), sample(10.0, 5.0), sample(19.9, 5.0), sample(20.0, 5.0)]
    counts = {part: sum(n for _, n in steps) for part, steps in distribution(samples, AT).items()}
    assert counts == {"before": 1, "during": 2, "after": 1}


def test_without_a_fault_all_is_before() -> None:
    counts = distribution([sample(0.0, 1.0), sample(99.0, 1.0)], None)
    assert counts == {"before": [[0, 2]], "during": [], "after": []}


def test_failed_and_crashed_attempts_are_left_out() -> None:
    crashed = replace(sample(0.0, 1.0), crashed=True)
    assert distribution([sample(0.0, 2.0, ok=False), crashed], AT)["before"] == []


@given(st.lists(st.floats(min_value=0.0, max_value=1e4)))
def test_every_good_answer_is_counted_once_in_its_step(took: list[float]) -> None:
    steps = distribution([sample(0.0, seconds) for seconds in took], AT)["before"]
    assert sum(count for _, count in steps) == len(took)
    assert steps == sorted(steps)
    longest = max([seconds for seconds in took if seconds > 1e-5], default=None)
    if longest is not None:
        step = steps[-1][0]
        assert 10 ** (step / STEPS) <= longest * 1.001
        assert longest <= 10 ** ((step + 1) / STEPS) * 1.001
