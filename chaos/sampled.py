"""The attempts of a run, from the events of its journal."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.journal import Event
from chaos.packing import unpacked
from probes.probe import Sample

NOTHING: dict[str, float] = {}


def samples(events: Sequence[Event]) -> dict[str, tuple[Sample, ...]]:
    """By probe, in order of when they were due; `events` begin with the run's header."""
    by_probe: dict[str, list[Sample]] = {name: [] for name in events[0]["experiment"]["probes"]}
    for e in unpacked(e for e in events if e["event"] in ("sample", "samples")):
        by_probe.setdefault(e["probe"], []).append(_sample(e))
    return {name: tuple(sorted(s, key=lambda s: s.due)) for name, s in by_probe.items()}


def _sample(e: Event) -> Sample:
    """Without its phases, which nothing here is computed from: there may be millions."""
    return Sample(
        probe=e["probe"],
        n=e["attempt"],
        due=e["due"],
        start=e["start"],
        end=e["end"],
        ok=e["ok"],
        error=e.get("error", ""),
        crashed=e.get("crashed", False),
        phases=NOTHING,
        detail=e.get("detail", NOTHING),
    )
