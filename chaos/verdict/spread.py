"""A promise about many runs, in a single one: one run shows nothing of it, whatever it measured.

In a journal such a promise is `{"p90": 60.0, "confidence": 0.95}`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chaos.history import History
from chaos.statistics import trials_needed
from probes.durations import show

PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
CONFIDENCE = "confidence"


def limits(wanted: Any) -> dict[str, float]:
    """Its limits by percentile, in seconds; none for a promise about each run."""
    return {p: wanted[p] for p in PERCENTILES if p in wanted} if isinstance(wanted, dict) else {}


def longest(wanted: Any) -> Any:
    """The longest of its limits, which a run that is to tell of all must reach; else as it is."""
    return max(limits(wanted).values()) if isinstance(wanted, dict) else wanted


def promising(history: History, percentile: str = "") -> History:
    """The same run, had it been promised what that percentile demands, or else the longest."""
    experiment = history.experiment
    objectives = {
        probe: {name: limits(w).get(percentile, longest(w)) for name, w in promised.items()}
        for probe, promised in experiment["objectives"].items()
    }
    return replace(
        history, header={**history.header, "experiment": experiment | {"objectives": objectives}}
    )


def told(wanted: Any) -> str:
    """For people: `p50 ≤ 30 s, p90 ≤ 1 min (95% confidence)`."""
    each = ", ".join(f"{name} ≤ {show(limit)}" for name, limit in limits(wanted).items())
    return f"{each} ({wanted[CONFIDENCE] * 100:g}% confidence)"


def needed(wanted: Any) -> int:
    """How many trials it takes at least, if all of them pass."""
    return max(trials_needed(PERCENTILES[name], wanted[CONFIDENCE]) for name in limits(wanted))


def alone(wanted: Any) -> str:
    """Why a single run is no proof of it."""
    return f"one run cannot show {told(wanted)}: chaos run --trials {needed(wanted)}"
