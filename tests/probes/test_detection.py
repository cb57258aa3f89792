"""Time to detect: the arithmetic over attempts that looked, and those that could not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from attempts import attempt
from hypothesis import given
from hypothesis import strategies as st

from probes.detection import Detection, detection, looked
from probes.outages import Interval
from probes.probe import Sample

INJECTED, LIFTED = 10.0, 40.0
Look = tuple[float, float, bool | None]  # start, end, and what was seen; None: no answer


def look(start: float, end: float, seen: bool | None) -> Sample:
    sample = attempt(start, end, seen is False)
    return sample if seen is None else replace(sample, detail={"detected": seen})


def found(*looks: Look) -> Detection:
    return detection([look(*each) for each in looks], injected=INJECTED, until=LIFTED)


SILENT, RINGS = False, True
BEFORE = (9.0, 9.25, SILENT)


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([BEFORE, (11, 11.25, SILENT), (12, 12.25, RINGS)], ("seen", Interval(1, 2.25))),
        ([BEFORE, (12, 12.25, RINGS), (11, 11.25, SILENT)], ("seen", Interval(1, 2.25))),
        ([BEFORE, (12, 12.25, RINGS), (13, 13.25, SILENT)], ("seen", Interval(0, 2.25))),
        # One that hangs says no more than that it rang by its end.
        ([BEFORE, (11, 15, RINGS), (12, 12.25, SILENT)], ("seen", Interval(2, 5))),
        ([BEFORE, (11, 15, RINGS), (12, 12.25, RINGS)], ("seen", Interval(0, 2.25))),
        # Begun before the fault: it may have rung before, too.
        ([BEFORE, (9.9, 10.2, RINGS), (11, 11.25, RINGS)], ("already", None)),
        ([BEFORE, (9.9, 10.2, SILENT), (11, 11.25, RINGS)], ("seen", Interval(0, 1.25))),
        ([(8, 8.25, RINGS), BEFORE, (11, 11.25, RINGS)], ("seen", Interval(0, 1.25))),
        ([(11, 11.25, RINGS)], ("no_data", None)),
        ([BEFORE], ("no_data", None)),
        ([BEFORE, (11, 11.25, None), (12, 14, None)], ("no_data", None)),
        ([BEFORE, (11, 11.25, SILENT)], ("unseen", Interval(1, math.inf))),
        ([BEFORE, (39, 39.25, SILENT), (41, 41.25, SILENT)], ("unseen", Interval(29, math.inf))),
        ([BEFORE, (41, 41.25, SILENT)], ("no_data", None)),
        ([BEFORE, (41, 41.25, SILENT), (42, 42.25, RINGS)], ("seen", Interval(31, 32.25))),
        ([], ("no_data", None)),
    ],
)
def test_what_the_looks_tell(looks: list[Look], expected: tuple[str, Interval | None]) -> None:
    told = found(*looks)
    assert (told.kind, told.after) == expected


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (look(0, 1, RINGS), True),
        (look(0, 1, SILENT), True),
        (look(0, 1, None), False),
        (replace(look(0, 1, RINGS), crashed=True), False),
        (replace(look(0, 1, None), detail={"detected": "yes"}), False),
    ],
)
def test_which_attempts_are_evidence(sample: Sample, says: bool) -> None:
    assert looked(sample) is says


@given(
    st.floats(min_value=INJECTED, max_value=LIFTED - 5),
    st.lists(
        st.tuples(
            st.floats(min_value=0, max_value=60),
            st.floats(min_value=0.01, max_value=4),
            st.floats(min_value=0, max_value=1),
            st.booleans(),
        ),
        max_size=40,
    ),
)
def test_the_truth_lies_in_the_interval(
    rang: float, asked: list[tuple[float, float, float, bool]]
) -> None:
    """An alarm that rings from `rang` on; each attempt reads it somewhere between its ends."""
    looks: list[Look] = []
    for start, took, part, answered in asked:
        end = start + took
        looks.append((start, end, start + part * took >= rang if answered else None))
    told = found((0.0, 0.0, SILENT), *looks, (59.0, 60.0, RINGS))
    straddles = any(s < INJECTED <= e and seen for s, e, seen in looks)
    if told.kind == "already":
        assert straddles
    else:
        assert told.kind == "seen"
        assert told.after is not None
        assert told.after.low - 1e-9 <= rang - INJECTED <= told.after.high + 1e-9
