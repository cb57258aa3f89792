"""A duration is written as a file has it, and means the same when it is read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.durations import LONGEST, parse, show, write


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"),
        (0.0015, "1.5ms"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (60, "1m"),
        (90, "90s"),
        (123.5, "123.5s"),
        (5400, "90m"),
        (36000, "10h"),
        (7 * 86400, "7d"),
    ],
)
def test_in_the_unit_that_people_would_take(seconds: float, written: str) -> None:
    assert write(seconds) == written


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(119.94, "119.9 s"), (119.96, "2 min"), (120, "2 min"), (0.9996, "1 s"), (7199.7, "2 h")],
)
def test_what_is_as_much_is_told_alike(seconds: float, told: str) -> None:
    assert show(seconds) == told


@given(st.integers(min_value=0, max_value=int(LONGEST) * 1000))
def test_what_is_written_is_read_as_the_same(milliseconds: int) -> None:
    assert parse(write(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)
