"""Results of made-up runs: of one promise each, or of whole made-up histories."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from histories import run as made_up

from chaos import results
from chaos.results import RunResult
from chaos.verdict import Result, judge
from probes.outages import Interval

FIRST = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def wall(day: int) -> str:
    return (FIRST + timedelta(days=day)).isoformat(timespec="milliseconds")


def promise(
    low: float | None,
    high: float | None = None,
    *,
    probe: str = "playback",
    objective: str = "rto",
    wanted: float | bool = 30.0,
    how: str = "",
) -> Result:
    """What it came to; one figure is one that is known exactly, none one that was not measured."""
    measured = None if low is None else Interval(low, low if high is None else high)
    return Result(
        probe=probe,
        objective=objective,
        wanted=wanted,
        measured=measured,
        value="held",
        how=how or ("never" if measured and math.isinf(measured.high) else "failover"),
        reason=f"{probe} was back",
    )


def kept(day: int, *found: Result, **fields: Any) -> RunResult:
    """The run of that day."""
    usual: dict[str, Any] = {
        "run": f"r{day:02}",
        "experiment": "region-outage",
        "title": "a region goes dark",
        "sha256": "ab12" * 16,
        "wall": wall(day),
        "environment": "embedded",
        "fidelity": ("lab",),
        "speed": 8.0,
        "tool": "0.1.0",
        "value": "held",
        "exit_code": 0,
        "reason": "playback was back",
        "results": found,
    }
    return RunResult(**usual | fields)


def days(*figures: float, **settings: Any) -> list[RunResult]:
    """A run a day, in which playback was back after so many seconds."""
    return [kept(day, promise(figure, **settings)) for day, figure in enumerate(figures)]


def judged(objectives: dict[str, Any], *changes: Any, **signs: str) -> RunResult:
    """What is kept of a made-up run once it is judged."""
    history = made_up(objectives, *changes, **signs)
    return results.of(history, judge(history))
