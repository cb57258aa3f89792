"""The recovery step by step, as far as the attempts tell: seen, over, elsewhere, home again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from chaos.history import History
from chaos.report.cells import told
from chaos.verdict import Verdict
from probes.probe import Sample


def steps(name: str, history: History, verdict: Verdict) -> dict[str, Any] | None:
    """The moments of one probe's recovery, in run seconds; None without a failure.

    first     start and end of the first bad attempt: a failure is known when it ends
    last      start of the last bad attempt before the recovery that counts
    back      end of the good attempt that shows it; None: not back when the observation ended
    away      the first good answer from another region than before the fault, and which
    home      the first good answer of those that came from the old region to the end
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
        **_moves([s for s in samples if s.ok], injected),
    }


def _moves(good: Sequence[Sample], injected: float) -> dict[str, Any]:
    """Where the good answers came from: away from the usual region, and back to it."""
    regions = Counter(told(s, "region") for s in good if s.end <= injected)
    home = next((region for region, _ in regions.most_common(1)), None)
    later = [s for s in good if s.end > injected and told(s, "region") is not None]
    away = next((s for s in later if told(s, "region") != home), None)
    if home is None or away is None:
        return {"from": home, "to": None, "away": None, "home": None}
    last_away = max(n for n, s in enumerate(later) if told(s, "region") != home)
    returned = later[last_away + 1] if last_away + 1 < len(later) else None
    return {
        "from": home,
        "to": told(away, "region"),
        "away": away.end,
        "home": returned and returned.end,
    }
