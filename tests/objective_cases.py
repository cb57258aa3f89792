"""A run with one objective, and what the verdict must say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from histories import Change, run

from chaos.verdict import Result
from chaos.verdict.measurement import measure, times
from chaos.verdict.verdict import all_results
from probes.outages import Interval

# What the bad attempts said; tests/verdict/test_complaints.py is about that.
SAID = re.compile(r"; (the bad attempt|\d+ of (the last )?\d+ bad attempts): boom$")


@dataclass(frozen=True, kw_only=True)
class Case:
    wanted: Any
    seen: str
    changes: tuple[Change, ...] = ()
    value: str
    reason: str  # goes on after the probe's name
    measured: Interval | None
    how: str = ""


def judged(objective: str, case: Case, probe: str = "playback") -> Result:
    history = run({probe: {objective: case.wanted}}, *case.changes, **{probe: case.seen})
    at = times(history)
    (found,) = (
        r for r in all_results(history, measure(history, at), at) if r.objective == objective
    )
    return replace(found, reason=SAID.sub("", found.reason)) if found.value == "broken" else found


def check(objective: str, case: Case, probe: str = "playback") -> None:
    assert judged(objective, case, probe) == Result(
        probe=probe,
        objective=objective,
        wanted=case.wanted,
        measured=case.measured,
        value=case.value,  # type: ignore[arg-type]  # a wrong one fails the comparison
        how=case.how,
        reason=f"{probe} {case.reason}",
    )
