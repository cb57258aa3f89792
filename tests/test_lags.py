"""A lab that answers late says so, and what its probes saw then proves nothing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import EnvironmentFailed
from chaos.lags import LATE_S, doubted, note_lags
from chaos.loops import run_virtual
from probes.outages import Interval
from probes.probe import Sample


class Lab:
    """It takes so long for each answer, in turn, and answers at once afterwards."""

    def __init__(self, *delays: float) -> None:
        self._delays = iter(delays)

    async def pulse(self) -> None:
        await asyncio.sleep(next(self._delays, 0.0))


class Silent(Lab):
    """It gives none in the end."""

    async def pulse(self) -> None:
        await super().pulse()
        raise EnvironmentFailed("silent")


def noted(lab: Lab, seconds: float) -> list[tuple[float, float]]:
    """From when to when the journal has it late, after so many seconds."""
    found: list[tuple[float, float]] = []

    def note(event: str, *, since: float, until: float) -> None:
        assert event == "lag"
        found.append((round(since, 6), round(until, 6)))

    async def main() -> None:
        task = asyncio.create_task(note_lags(lab.pulse, asyncio.get_running_loop().time, note))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(main())
    return found


def test_what_is_in_time_is_not_told() -> None:
    assert noted(Lab(LATE_S - 0.01, 0.0, LATE_S - 0.01), 20) == []


def test_what_is_late_is_told_with_its_time() -> None:
    assert noted(Lab(0.0, 2.0, 0.4, 1.0), 20) == [(0.2, 2.2), (3.0, 4.0)]


@pytest.mark.parametrize("lab", [Silent(3.0), Lab(3.0)], ids=["then refused", "then answered"])
def test_no_answer_is_late_as_long_as_it_is_missing(lab: Lab) -> None:
    assert noted(lab, 2.0) == [(0.0, 2.0)]


def test_one_that_refuses_in_time_is_not_late() -> None:
    assert noted(Silent(0.1, 0.1), 5) == []


def attempt(start: float, end: float, *, ok: bool = False) -> Sample:
    return Sample(probe="p", n=0, due=start, start=start, end=end, ok=ok)


@pytest.mark.parametrize(
    ("sample", "says_nothing"),
    [
        (attempt(0, 1), False),
        (attempt(0, 1.01), True),
        (attempt(1.2, 1.3), True),
        (attempt(1.99, 5), True),
        (attempt(2, 3), False),
        (attempt(4.5, 5.5), True),
        (attempt(0, 9), True),
        (attempt(7, 8), False),
        (attempt(1.2, 1.3, ok=True), False),
    ],
)
def test_a_bad_attempt_that_was_under_way_then_says_nothing(
    sample: Sample, says_nothing: bool
) -> None:
    (found,) = doubted([sample], [Interval(1, 2), Interval(5, 6)])
    assert found.crashed is says_nothing


times = st.integers(0, 40)


@given(st.lists(st.tuples(times, times, st.booleans()), max_size=20), st.lists(times, unique=True))
def test_it_is_those_that_overlap(attempts: list[tuple[int, int, bool]], edges: list[int]) -> None:
    lags = [Interval(a, b) for a, b in zip(*[iter(sorted(edges))] * 2, strict=False)]
    samples = [attempt(a, a + b, ok=ok) for a, b, ok in attempts]
    found = [s.crashed for s in doubted(samples, lags)]
    assert found == [
        not s.ok and any(s.start < lag.high and lag.low < s.end for lag in lags) for s in samples
    ]
