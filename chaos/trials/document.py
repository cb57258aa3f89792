"""A set and its verdict as JSON: what trials.json holds and `--json` prints."""

from __future__ import annotations

import math
from typing import Any

from chaos.trials import told
from chaos.trials.judging import Judged, SetVerdict
from chaos.trials.promises import Promise, TrialResult
from chaos.verdict.finding import Value
from probes.outages import Interval


def computed(verdict: SetVerdict) -> dict[str, Any]:
    """What the journals say, as docs/trials-json.md has it: seconds; null for what has no end."""
    return {
        "value": verdict.value,
        "exit_code": verdict.exit_code,
        "flaky": verdict.flaky,
        "reasons": told.reasons(verdict),
        "promises": [_judged(one) for one in verdict.judged],
        "trials": [_trial(trial) for trial in verdict.trials],
    }


def _judged(one: Judged) -> dict[str, Any]:
    return {
        **_promise(one.promise),
        "value": one.value,
        "passed": one.passed,
        "failed": one.failed,
        "unknown": one.unknown,
        "not_made": one.of - len(one.told),
        "may_fail": max(one.allowed, 0),
        "confidence": one.confidence,
        "least_share": one.least,
        "most_share": one.most,
        "statement": told.statement(one),
        "percentiles": {
            p.name: {"seen": _interval(p.seen), "shown": _interval(p.shown)}
            for p in one.percentiles
        },
    }


def _trial(trial: TrialResult) -> dict[str, Any]:
    value: Value = trial.verdict.value
    return {
        "n": trial.n,
        "run": trial.run,
        "outcome": trial.outcome,
        "value": value,
        "exit_code": trial.verdict.exit_code,
        "reason": next(iter(trial.verdict.reasons), ""),
        "stopped": trial.stopped,
        "wall": trial.wall,
        "seconds": trial.ended,
        "found": [
            {
                **_promise(promise),
                "outcome": found.outcome,
                "measured": _interval(found.measured),
                "counted_as": _interval(found.time) if promise.timed else None,
                "reason": found.reason,
            }
            for promise, found in trial.found.items()
        ],
    }


def _promise(promise: Promise) -> dict[str, Any]:
    return {
        "probe": promise.probe,
        "objective": promise.objective,
        "limit": promise.limit,
        "percentile": promise.percentile or None,
    }


def _interval(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    ends = {"low": interval.low, "high": interval.high}
    return {name: end if math.isfinite(end) else None for name, end in ends.items()}
