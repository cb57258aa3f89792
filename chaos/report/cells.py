"""Many attempts as few cells to draw, so that the page of a day-long drill stays light."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import median
from typing import Any

from probes.probe import Sample

# More than a screen can show side by side, even enlarged a few times.
MOST = 600

# from, good, bad, crashed, median and longest duration, region, status, error
Cell = list[Any]


def cells(
    samples: Sequence[Sample], close: tuple[float, float] | None = None, most: int = MOST
) -> list[Cell]:
    """At most `most` cells, in order of time; a cell for each attempt while these are few enough.

    When they are not, most cells go to the attempts due in `close`. Neighbours are joined only
    with their like (good or not, region), so that the edges of an outage stay exact however long
    the drill; where it turns too often for that, they are mixed.
    """
    if close is None or len(samples) <= most:
        return _joined(samples, most)
    begin, end = (bisect_left(samples, t, key=lambda s: s.due) for t in close)
    return [
        *_joined(samples[:begin], most // 6),
        *_joined(samples[begin:end], most * 2 // 3),
        *_joined(samples[end:], most // 6),
    ]


def _joined(samples: Sequence[Sample], most: int) -> list[Cell]:
    alike = [list(group) for _, group in groupby(samples, key=_kind)]
    size = 1
    while size < len(samples) and sum(-(-len(group) // size) for group in alike) > most:
        size *= 2
    if len(alike) > most:  # it turns so often that like and unlike must share cells
        alike, size = [list(samples)], -(-len(samples) // most)
    return [_cell(group[at : at + size]) for group in alike for at in range(0, len(group), size)]


def _kind(sample: Sample) -> tuple[bool, bool, Any]:
    return sample.ok, sample.crashed, told(sample, "region")


def _cell(group: Sequence[Sample]) -> Cell:
    good = sum(s.ok for s in group)
    crashed = sum(s.crashed for s in group)
    # Where some were good, the failed ones would only tell the timeout.
    took = [s.end - s.start for s in group if s.ok] or [s.end - s.start for s in group]
    return [
        round(group[0].start, 4),
        good,
        len(group) - good - crashed,
        crashed,
        round(median(took), 6),
        round(max(took), 6),
        _usual(told(s, "region") for s in group),
        _usual(told(s, "status") for s in group),
        _usual(s.error or None for s in group),
    ]


def told(sample: Sample, name: str) -> Any:
    """What an attempt's detail says, if that can be shown in a word: a probe may be anybody's."""
    value = sample.detail.get(name)
    return value if isinstance(value, (str, int)) else None


def _usual(values: Iterable[Any]) -> Any:
    """The most frequent one of those that are there."""
    counted = Counter(value for value in values if value is not None)
    return counted.most_common(1)[0][0] if counted else None
