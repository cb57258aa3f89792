"""Made-up runs as they were at a moment."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from report import journals

from chaos.journal import Event, read
from chaos.report.live import Live, fold


def events_of(tmp_path: Path, **variant: Any) -> list[Event]:
    return read(journals.region_outage(tmp_path, **variant))


def at(events: list[Event], t: float) -> Live:
    """The run as it was then."""
    live = None
    for event in events:
        if event["t"] <= t:
            live = fold(live, event)
    assert live is not None
    return live


def by_hand(events: list[Event]) -> list[Event]:
    """The same run, had its fault been a person's to bring about."""
    first, *rest = copy.deepcopy(events)
    first["experiment"]["faults"][0] |= {"by_hand": True, "do": "pull the plug", "undo": "plug in"}
    return [first, *rest]


def noted(events: list[Event], t: float, text: str) -> Live:
    live = fold(at(events, t), {"n": 0, "t": t, "event": "note", "text": text})
    assert live is not None
    return live
