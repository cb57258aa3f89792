"""This run among those before it: for each promise what was measured, run after run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chaos import results
from chaos.history import History
from chaos.report import words
from chaos.results import RunResult
from chaos.verdict import Result, Verdict, percent
from chaos.verdict.rules import RECOVER_WITHIN
from probes.durations import show

SHOWN = 30  # runs, this one included


def trends(history: History, verdict: Verdict, past: Sequence[RunResult]) -> list[dict[str, Any]]:
    """A line for each promise of this run, oldest run first; none without a run before it."""
    now = results.of(history, verdict)
    before = [run for run in past if run.run != now.run]
    if not before:
        return []
    promised = [r for r in now.results if r.objective != RECOVER_WITHIN]
    return [_trend(result, [*before, now]) for result in promised]


def _trend(now: Result, runs: Sequence[RunResult]) -> dict[str, Any]:
    found = [(run, _of(run, now)) for run in runs]
    points = [_point(run, result) for run, result in found if result]
    known = [v for point in points for v in (point["low"], point["high"]) if v is not None]
    limits = [] if isinstance(now.wanted, bool) else [now.wanted]
    most = max([*known, *limits], default=0.0)
    top = 1.0 if now.objective == "availability" else most * 1.15 or 1.0
    return {
        "probe": now.probe,
        "name": words.OBJECTIVES[now.objective],
        "wanted_text": words.wanted(now),
        "limit": limits[0] if limits else None,
        "top": top,
        "limit_text": _figure(now, limits[0]) if limits else "",
        "points": points,
    }


def _figure(result: Result, value: float) -> str:
    return percent(value) if result.objective == "availability" else show(value)


def _of(run: RunResult, now: Result) -> Result | None:
    same = (r for r in run.results if (r.probe, r.objective) == (now.probe, now.objective))
    return next(same, None)


def _point(run: RunResult, result: Result) -> dict[str, Any]:
    """`high` is null where it was not recovered, `low` where nothing was measured."""
    found, doubted = result.measured, result.probe in run.doubted
    return {
        "run": run.run,
        "wall": run.wall,
        "value": result.value,
        "text": words.measured(result),
        "doubted": doubted,
        "low": None if found is None or doubted else found.low,
        "high": None if found is None or doubted or math.isinf(found.high) else found.high,
    }
