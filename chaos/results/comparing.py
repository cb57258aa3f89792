"""What a promise came to now and before, side by side, and what else is not as it was. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median_high, median_low

from chaos.results.result import RunResult, badness
from chaos.verdict import Result
from chaos.verdict.rules import RECOVER_WITHIN
from probes.outages import Interval

Key = tuple[str, str]  # probe and objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One promise in some runs. What was not recovered is infinite."""

    results: tuple[Result, ...]  # of the runs whose figure proves something, oldest first
    left_out: int  # of how many runs there is none

    @property
    def middle(self) -> Interval | None:
        """The median lies in it; of one run its own interval."""
        found = [r.measured for r in self.results if r.measured]
        if not found:
            return None
        return Interval(median_low(m.low for m in found), median_high(m.high for m in found))

    @property
    def reach(self) -> Interval | None:
        """From the least to the greatest."""
        found = [r.measured for r in self.results if r.measured]
        if not found:
            return None
        return Interval(min(m.low for m in found), max(m.high for m in found))

    @property
    def badness(self) -> list[Interval]:
        """Of each run, so that more is worse."""
        return [b for r in self.results if (b := badness(r)) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One promise, now and before."""

    probe: str
    objective: str
    now: Side
    before: Side

    @property
    def difference(self) -> Interval | None:
        """How much more it is now, at least and at most; None where one of them has no end."""
        now, before = self.now.middle, self.before.middle
        if now is None or before is None or math.isinf(now.high) or math.isinf(before.high):
            return None
        return Interval(now.low - before.high, now.high - before.low)


def pairs(now: Sequence[RunResult], before: Sequence[RunResult]) -> list[Pair]:
    """Each promise of the runs of now, in their order; being steady again is none."""
    keys = dict.fromkeys(key for run in now for key in _keys(run))
    return [
        Pair(probe=probe, objective=objective, now=_side(now, key), before=_side(before, key))
        for key in keys
        for probe, objective in [key]
    ]


def _keys(run: RunResult) -> Iterator[Key]:
    yield from ((r.probe, r.objective) for r in run.results if r.objective != RECOVER_WITHIN)


def _side(runs: Sequence[RunResult], key: Key) -> Side:
    found = [
        r
        for run in runs
        for r in run.results
        if (r.probe, r.objective) == key and badness(r) and r.probe not in run.doubted
    ]
    return Side(results=tuple(found), left_out=len(runs) - len(found))


# What tells one drill from another, by what it is called.
ABOUT: dict[str, Callable[[RunResult], str]] = {
    "experiment": lambda run: run.experiment,
    "environment": lambda run: run.place,
    "speed": lambda run: f"{run.speed:g}",
    "text of the experiment": lambda run: f"sha256 {run.sha256[:12]}",
    "variables": lambda run: ", ".join(f"{k}={v}" for k, v in sorted(run.variables.items())),
    "fidelity": lambda run: ", ".join(run.fidelity),
    "endpoint": lambda run: run.endpoint or "",
    "version of the environment": lambda run: run.environment_version or "",
    "version of chaos": lambda run: run.tool,
}
# Where these differ, so do the figures, whatever the system does.
ALIKE = ("experiment", "environment", "speed")
# Where these differ, the difference may be owed to that.
TOLD = ("text of the experiment", "variables", "fidelity", "version of the environment")


def changed(
    now: Sequence[RunResult], before: Sequence[RunResult]
) -> dict[str, tuple[list[str], list[str]]]:
    """What is not the same in all of them: its values before and now."""
    found = {}
    for name, tell in ABOUT.items():
        values = [list(dict.fromkeys(map(tell, runs))) for runs in (before, now)]
        if len({*values[0], *values[1]}) > 1 and before:
            found[name] = values[0], values[1]
    return found


def comparable(one: RunResult, other: RunResult) -> bool:
    """Whether their figures mean the same: the same experiment, kind of environment and speed."""
    return all(ABOUT[name](one) == ABOUT[name](other) for name in ALIKE)
