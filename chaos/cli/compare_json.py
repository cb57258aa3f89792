"""What `chaos history` and `chaos compare` print with --json."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from chaos.results import RunResult
from chaos.results.comparing import Pair, Side, changed
from chaos.results.gate import Gate
from probes.outages import Interval


def plain(value: Any) -> Any:
    """As JSON can hold it, which knows no infinity, no sets and no dataclasses of ours."""
    if isinstance(value, RunResult):
        return plain(asdict(value))
    if isinstance(value, Interval):
        return plain({"low": value.low, "high": value.high})
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if value == math.inf else value


def document(
    now: Sequence[RunResult],
    before: Sequence[RunResult],
    pairs: Sequence[Pair],
    gate: Gate | None,
) -> dict[str, Any]:
    """Intervals in seconds, of an availability in fractions; null for what has no end."""
    answers = {id(test.pair): test for test in gate.tests} if gate else {}
    rows = []
    for pair in pairs:
        test = answers.get(id(pair))
        told = (
            {"answer": test.answer, "p_value": test.p_value, "p_least": test.p_least}
            if test
            else None
        )
        rows.append(
            {
                "probe": pair.probe,
                "objective": pair.objective,
                "now": _side(pair.now),
                "before": _side(pair.before),
                "difference": plain(pair.difference),
                "test": told,
            }
        )
    return {
        "now": [run.run for run in now],
        "before": [run.run for run in before],
        "objectives": rows,
        "changed": {name: {"before": b, "now": n} for name, (b, n) in changed(now, before).items()},
        "gate": _gate(gate),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "runs": len(side.results),
        "left_out": side.left_out,
        "median": plain(side.middle),
        "reach": plain(side.reach),
    }


def _gate(gate: Gate | None) -> dict[str, Any] | None:
    if gate is None:
        return None
    return {
        "answer": gate.answer,
        "exit_code": gate.exit_code,
        "worse_than": gate.by,
        "confidence": gate.confidence,
        "confidence_of_each": gate.each,
        "runs_needed_before": gate.needed,
    }
