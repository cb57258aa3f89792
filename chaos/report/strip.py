"""Attempts in a strip of cells, each a step of time: the run so far, in the width of a terminal."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from chaos.journal import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The attempts that began in one step of time; `slowest` is the longest good one's length."""

    at: int
    good: int = 0
    bad: int = 0
    crashed: int = 0
    slowest: float = 0.0


def with_attempt(cells: tuple[Cell, ...], step: float, event: Event) -> tuple[Cell, ...]:
    """The strip with one more attempt: it belongs to the time when it began, maybe a while ago."""
    at = int(event["start"] // step)
    if not cells or cells[-1].at < at:
        return (*cells, _more(Cell(at=at), event))
    place = bisect_left(cells, at, key=lambda cell: cell.at)
    there = cells[place].at == at
    cell = cells[place] if there else Cell(at=at)
    return (*cells[:place], _more(cell, event), *cells[place + there :])


def _more(cell: Cell, event: Event) -> Cell:
    ok, crashed = event["ok"], event["crashed"]
    took = event["end"] - event["start"] if ok else 0.0
    return Cell(
        at=cell.at,
        good=cell.good + ok,
        bad=cell.bad + (not ok and not crashed),
        crashed=cell.crashed + crashed,
        slowest=max(cell.slowest, took),
    )


def joined(at: int, cells: Iterable[Cell]) -> Cell:
    """Several cells as one."""
    cells = list(cells)
    return Cell(
        at=at,
        good=sum(cell.good for cell in cells),
        bad=sum(cell.bad for cell in cells),
        crashed=sum(cell.crashed for cell in cells),
        slowest=max(cell.slowest for cell in cells),
    )


def coarser(cells: Iterable[Cell], factor: int) -> tuple[Cell, ...]:
    """The same attempts in cells that are `factor` times as long."""
    groups = groupby(cells, key=lambda cell: cell.at // factor)
    return tuple(joined(at, group) for at, group in groups)
