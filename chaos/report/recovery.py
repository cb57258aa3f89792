"""The recovery step by step, as far as the attempts tell: seen, over, elsewhere, home again."""

from __future__ import annotations

import math
from typing import Any

from chaos.history import History
from chaos.verdict import Times, Verdict
from probes.failover import Failover


def steps(name: str, history: History, verdict: Verdict) -> dict[str, Any] | None:
    """The moments of one probe's recovery, in run seconds; None without a failure.

    first     start and end of the first bad attempt: a failure is known when it ends
    last      start of the last bad attempt before the recovery that counts
    back      end of the good attempt that shows it; None: not back when the observation ended
    away      the first good answer from another region than before the fault, and which
    home      the first good answer of those that came from the old region alone to the end
    """
    at, found = verdict.times, verdict.probes.get(name)
    if at is None or at.injected is None or found is None or found.recovery is None:
        return None
    if found.detection:
        return None  # an alarm that clears has not recovered from anything
    injected, rto = at.injected, found.recovery.rto
    samples = [s for s in history.samples.get(name, ()) if not s.crashed]
    since = [s for s in samples if s.start >= injected or s.end > injected]
    first = next((s for s in since if not s.ok), None)
    if first is None or rto is None:
        return None
    return {
        "probe": name,
        "first": [first.start, first.end],
        "last": max(first.start, injected + rto.low),
        "back": injected + rto.high if rto.high < float("inf") else None,
        **_moves(found.failover, at),
    }


def _moves(moved: Failover | None, at: Times) -> dict[str, Any]:
    """Where the good answers came from: away from the region of before, and back to it."""
    if moved is None or len(moved.home) != 1 or at.injected is None:
        return {"from": None, "to": None, "away": None, "home": None}
    # An answer from elsewhere that was under way at the injection alone shows no moment.
    away = moved.away.after if moved.away.kind == "seen" else None
    home = None
    if away and moved.back and at.lifted is not None and moved.back.high < math.inf:
        home = at.lifted + moved.back.high
    return {
        "from": moved.home[0],
        "to": moved.to,
        "away": away and at.injected + away.high,
        "home": home,
    }
