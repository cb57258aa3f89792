"""A run while it goes on, folded into one frozen value, one event after the other.

Whoever shows it may take the value at any moment, in any thread: it never changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from chaos.journal import Event
from chaos.report import words
from chaos.report.lookout import NOTHING_SEEN, Lookout
from chaos.report.strip import Cell, coarser, with_attempt
from chaos.report.trail import Trail
from chaos.verdict import spread

# All of the run is kept in so few cells; when it lasts longer, each becomes twice as long.
CELLS = 240
# Parts of the planned time that finding the steady state and recovering may take besides.
ASIDE = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProbe:
    """One probe so far."""

    timeout: float
    trail: Trail  # all attempts
    under: Trail  # those that began before the faults were lifted
    lookout: Lookout = NOTHING_SEEN
    latency: float | None = None  # of the last attempt, when it was good
    crashed: bool = False  # the last attempt
    attempts: int = 0  # begun while the fault was on
    good: int = 0  # those of them that were
    hit: int = 0  # bad attempts that the fault may have met
    failed: int = 0  # these, and all bad ones after it
    reads: int = 0  # of a ledger
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFault:
    """One fault so far; `since` is when its state began."""

    name: str
    at: float
    lasts: float | None
    by_hand: bool
    texts: tuple[str, ...]  # what a person is told to do, and to undo
    state: str = "waiting"
    since: float = 0.0
    asked: float | None = None  # when its first lever was pulled, or a person was told
    injected: float | None = None
    error: str = ""
    pulls: tuple[tuple[int, str], ...] = ()  # each lever's number and outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A run so far. Times are seconds since its start, of the lab's clock."""

    header: dict[str, Any]
    planned: float  # how long the run may take, as far as the experiment tells
    step: float  # seconds of a cell
    probes: dict[str, LiveProbe]
    faults: tuple[LiveFault, ...]
    t: float = 0.0  # of the last event
    phases: dict[str, float] = field(default_factory=dict)  # when each began, in order
    injected: float | None = None  # where the clocks of the objectives start
    closed: float | None = None  # the last fault began to be lifted, or the hold was over
    lifted: float | None = None  # all levers of all faults that can be lifted were back
    notes: tuple[str, ...] = ()  # what a person is to do now
    stop: str = ""
    over: bool = False


def fold(live: Live | None, event: Event) -> Live | None:
    """The run with one more event; None until it has begun."""
    if event["event"] == "run":
        return _begin(event)
    if live is None:
        return None
    take = EVENTS.get(event["event"])
    return replace(take(live, event) if take else live, t=event["t"])


def _begin(event: Event) -> Live:
    experiment = event["experiment"]
    probes = {
        name: LiveProbe(
            timeout=probe["timeout"],
            trail=Trail(confirm=probe["confirm"]),
            under=Trail(confirm=probe["confirm"]),
        )
        for name, probe in experiment["probes"].items()
    }
    faults = tuple(_fault_of(fault) for fault in experiment["faults"])
    planned = _planned(experiment)
    step = planned / CELLS
    return Live(header=event, planned=planned, step=step, probes=probes, faults=faults)


def _fault_of(settings: dict[str, Any]) -> LiveFault:
    return LiveFault(
        name=words.fault(settings),
        at=settings["at"],
        lasts=settings["lasts"],
        by_hand=bool(settings.get("by_hand")),
        texts=tuple(settings[key] for key in ("do", "undo") if settings.get(key)),
    )


def _planned(experiment: dict[str, Any]) -> float:
    limits = (
        spread.longest(promised.get(name)) or 0.0
        for promised in experiment["objectives"].values()
        for name in ("rto", "heals_within", "detects_within")
    )
    ends = (fault["at"] + (fault["lasts"] or 0.0) for fault in experiment["faults"])
    return float(experiment["steady_state"]["for"] + max([10.0, *limits, *ends])) * ASIDE


def _phase(live: Live, event: Event) -> Live:
    phases = {**live.phases, event["phase"]: event["t"]}
    if event["phase"] == "rollback" and live.injected is not None and live.closed is None:
        return replace(live, phases=phases, closed=event["t"])
    return replace(live, phases=phases)


def _sample(live: Live, event: Event) -> Live:
    probe = live.probes[event["probe"]]
    live = _seen_by_hand(live, event)
    probe = replace(
        probe,
        latency=event["end"] - event["start"] if event["ok"] else None,
        crashed=event["crashed"],
        cells=with_attempt(probe.cells, live.step, event),
        lookout=_looked(probe.lookout, live, event),
    )
    if not event["crashed"]:
        probe = _told(probe, live, event["start"], event["end"], event["ok"])
    live = replace(live, probes={**live.probes, event["probe"]: probe})
    return _longer(live) if event["start"] >= live.step * CELLS else live


def _seen_by_hand(live: Live, event: Event) -> Live:
    """What a person breaks may show before they mark it as done: the clocks start there."""
    if event["ok"] or event["crashed"]:
        return live
    asked = (fault.asked for fault in live.faults if fault.by_hand)
    begun = [max(at, event["start"]) for at in asked if at is not None and event["end"] > at]
    return replace(live, injected=_earliest(live.injected, *begun)) if begun else live


def _looked(lookout: Lookout, live: Live, event: Event) -> Lookout:
    seen = event.get("detail", {}).get("detected")
    if event["crashed"] or not isinstance(seen, bool):
        return lookout
    return lookout.then(event["start"], event["end"], seen=seen, injected=live.injected)


def _told(probe: LiveProbe, live: Live, start: float, end: float, ok: bool) -> LiveProbe:
    """The probe with an attempt that says something about the system."""
    trail = probe.trail.then(start, end, ok=ok)
    early = live.closed is None or start < live.closed
    under = probe.under.then(start, end, ok=ok) if early else probe.under
    probe = replace(probe, trail=trail, under=under)
    if live.injected is None or max(start, end) <= live.injected:
        return probe
    counts = early and start >= live.injected
    return replace(
        probe,
        attempts=probe.attempts + counts,
        good=probe.good + (counts and ok),
        hit=probe.hit + (early and not ok),
        failed=probe.failed + (not ok),
    )


def _longer(live: Live) -> Live:
    """The run in cells twice as long, so that there are never too many."""
    probes = {
        name: replace(probe, cells=coarser(probe.cells, 2)) for name, probe in live.probes.items()
    }
    return replace(live, step=live.step * 2, probes=probes)


def _fault(live: Live, event: Event) -> Live:
    number, state = event["fault"], event["state"]
    t = event["t"] if event.get("back") is None else event["back"]
    fault = replace(
        live.faults[number],
        state=state,
        # What did not go back at once is lifted again: it began to go at the first try.
        since=live.faults[number].since if state == live.faults[number].state else t,
        error=event.get("error") or "",
    )
    if state == "injected":
        fault = replace(fault, injected=t)
    live = _with(live, number, fault)
    if state in ("injected", "lifted", "failed"):
        live = replace(live, notes=_unanswered(live, fault))
    if state == "injected" and fault.by_hand:
        live = replace(live, injected=_earliest(live.injected, t))
    return _lifting(live, t)


def _lifting(live: Live, t: float) -> Live:
    """The moments at which the fault is no longer wholly on, and wholly gone."""
    if live.injected is None:
        return live
    states = {fault.state for fault in live.faults}
    if live.closed is None and states <= {"lifting", "lifted"}:
        live = replace(live, closed=t)
    liftable = [fault for fault in live.faults if fault.lasts is not None and fault.pulls]
    if not liftable or any(fault.state != "lifted" for fault in liftable):
        return replace(live, lifted=None)
    return live if live.lifted is not None else replace(live, lifted=t)


def _unanswered(live: Live, fault: LiveFault) -> tuple[str, ...]:
    """The notes without those that this fault's new state answers."""
    others = [text for other in live.faults if other is not fault for text in other.texts]
    return tuple(note for note in live.notes if any(text in note for text in others))


def _pull(live: Live, event: Event) -> Live:
    fault = live.faults[event["fault"]]
    asked = event["t"] if fault.asked is None else fault.asked
    fault = replace(fault, asked=asked, pulls=(*fault.pulls, (event["pull"], "open")))
    live = _with(live, event["fault"], fault)
    return live if fault.by_hand else replace(live, injected=_earliest(live.injected, event["t"]))


def _restored(live: Live, event: Event) -> Live:
    ended = event["pull"], event["outcome"]
    faults = (
        replace(f, pulls=tuple(ended if pull[0] == ended[0] else pull for pull in f.pulls))
        for f in live.faults
    )
    return replace(live, faults=tuple(faults))


def _ledger(live: Live, event: Event) -> Live:
    probe = live.probes[event["probe"]]
    probe = replace(probe, reads=probe.reads + 1)
    return replace(live, probes={**live.probes, event["probe"]: probe})


def _with(live: Live, number: int, fault: LiveFault) -> Live:
    faults = (*live.faults[:number], fault, *live.faults[number + 1 :])
    return replace(live, faults=faults)


def _earliest(known: float | None, *more: float) -> float:
    return min([*more] if known is None else [known, *more])


EVENTS: dict[str, Callable[[Live, Event], Live]] = {
    "phase": _phase,
    "sample": _sample,
    "samples": lambda live, _: live,  # each was told when it ended
    "fault": _fault,
    "pull": _pull,
    "restored": _restored,
    "ledger": _ledger,
    "call": lambda live, _: live,  # the levers that it moves are shown
    "mark": lambda live, event: replace(live, notes=(*live.notes, f"marked as {event['what']}")),
    "lag": lambda live, _: live,  # the verdict tells where it matters
    "note": lambda live, event: replace(live, notes=(*live.notes, str(event["text"]))),
    "stop": lambda live, event: replace(live, stop=live.stop or str(event["why"])),
    "end": lambda live, _: replace(live, over=True, notes=()),
}
