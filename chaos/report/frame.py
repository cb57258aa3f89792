"""What a live view shows of a run at one moment, in words and shares: how it looks is the view's.

The figures are those of the moment. The verdict is computed afterwards, from the whole journal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from chaos.report import words
from chaos.report.live import Live, LiveFault, LiveProbe
from chaos.report.promises import Mood, Timer, promises, whole
from chaos.report.strip import Cell, coarser
from chaos.verdict import percent
from probes.durations import show

Mark = Literal["broken", "back"]

PHASES = {
    "steady": "waiting for a steady state",
    "inject": "breaking",
    "hold": "the fault is on",
    "rollback": "putting back",
    "recover": "waiting for recovery",
    "judge": "judging",
}
BACK = ("restored", "already", "kept", "gone")
WRONG = ("conflict", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One probe: its cells tell the run from its start; None where no attempt began."""

    name: str
    mood: Mood
    state: str
    latency: str
    available: str
    timeout: float
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One moment of a run."""

    title: str
    phase: str
    ran: str
    place: tuple[str, ...]  # where it runs, if not in the embedded lab, and what stands in
    instructions: tuple[str, ...]
    stopping: str
    marks: tuple[tuple[int, Mark], ...]  # in which cell the fault began, and all was back
    rows: tuple[Row, ...]
    faults: tuple[Timer, ...]
    promises: tuple[Timer, ...]


def frame(live: Live, now: float, cells: int) -> Frame:
    """The run at `now`, in seconds since its start, with at most that many cells a probe."""
    now = live.t if live.over else max(now, live.t)
    # All of the run is to be seen, and as planned it is to fill the row.
    factor = max(1, math.ceil(max(live.planned, now) / live.step / max(cells, 1)))
    experiment = live.header["experiment"]
    phase = next(reversed(live.phases), "steady")
    length = whole(now - live.phases.get(phase, now))
    return Frame(
        title=words.printable(experiment["title"] or experiment["name"]),
        phase="done" if live.over else f"{PHASES.get(phase, phase)}, {length}",
        ran=_ran(live, now),
        place=tuple(map(words.printable, _place(live))),
        instructions=tuple(words.printable(note) for note in live.notes),
        stopping=words.printable(live.stop),
        marks=tuple(_marks(live, live.step * factor)),
        rows=tuple(_row(name, probe, now, factor) for name, probe in live.probes.items()),
        faults=tuple(_fault(fault, live, now) for fault in live.faults),
        # What is measured last is in the verdict, which comes right below.
        promises=() if live.over else tuple(promises(live, now)),
    )


def _ran(live: Live, now: float) -> str:
    speed = live.header["speed"]
    pace = f", lab time at {speed:g} times the wall's speed" if speed != 1 else ""
    return f"{'ran' if live.over else 'running'} {whole(now)}{pace}"


def _place(live: Live) -> Iterator[str]:
    environment = live.header["environment"]
    if environment["kind"] != "embedded":
        yield words.where(environment)
    yield from words.stood_in(live.header["experiment"])


def _marks(live: Live, step: float) -> Iterator[tuple[int, Mark]]:
    if live.injected is not None:
        yield int(live.injected // step), "broken"
    if live.lifted is not None:
        yield int(live.lifted // step), "back"


def _row(name: str, probe: LiveProbe, now: float, factor: int) -> Row:
    mood, state = _state(probe, now)
    cells = {cell.at: cell for cell in coarser(probe.cells, factor)}
    return Row(
        name=name,
        mood=mood,
        state=state,
        latency="" if probe.latency is None else show(probe.latency),
        available=percent(probe.good / probe.attempts) if probe.attempts else "",
        timeout=probe.timeout,
        cells=tuple(cells.get(at) for at in range(max(cells, default=-1) + 1)),
    )


def _state(probe: LiveProbe, now: float) -> tuple[Mood, str]:
    if probe.trail.down:
        what = "alarm" if probe.lookout.rang is not None or probe.lookout.early else "down"
        return "bad", f"{what} {whole(now - probe.trail.began)}"
    if probe.crashed:
        return "doubt", "crashed"
    return ("good", "good") if probe.trail.proof else ("idle", "no answer yet")


def _fault(fault: LiveFault, live: Live, now: float) -> Timer:
    mood, text, share = _fault_state(fault, live, now)
    levers = _levers(fault)
    return Timer(
        name=words.printable(fault.name),
        mood=mood,
        text=f"{text}; {levers}" if levers else text,
        share=share,
    )


def _fault_state(fault: LiveFault, live: Live, now: float) -> tuple[Mood, str, float | None]:
    if fault.state == "waiting":
        return "idle", _due(fault, live, now), None
    if fault.state == "failed":
        return "bad", words.printable(f"FAILED: {fault.error}"), None
    if fault.state == "injecting":
        return "busy", "waiting for the mark" if fault.by_hand else "being injected", None
    began = fault.since if fault.injected is None else fault.injected
    if fault.state == "lifted":
        return "idle", f"lifted after {whole(fault.since - began)}", None
    if fault.state == "lifting":
        wrong = any(outcome in WRONG for _, outcome in fault.pulls)
        return ("bad", "not lifted", None) if wrong else ("busy", "being lifted", None)
    if fault.lasts is None:
        return "busy", f"done {whole(now - began)} ago, nothing lifts it", None
    left = max(0.0, began + fault.lasts - now)
    return "busy", f"on for {whole(left)} more", (now - began) / fault.lasts


def _due(fault: LiveFault, live: Live, now: float) -> str:
    began = live.phases.get("inject")
    if began is None:
        lasts = f", for {show(fault.lasts)}" if fault.lasts else ""
        return f"{show(fault.at)} after the first{lasts}" if fault.at else f"next{lasts}"
    return "not injected" if live.over or live.closed else f"in {whole(began + fault.at - now)}"


def _levers(fault: LiveFault) -> str:
    """How many levers were pulled; once the first of them goes back, how many are."""
    outcomes = [outcome for _, outcome in fault.pulls]
    wrong = sum(outcome in WRONG for outcome in outcomes)
    if wrong:
        return f"{wrong} of {words.count(len(outcomes), 'lever')} NOT PUT BACK"
    if all(outcome == "open" for outcome in outcomes):
        return f"{words.count(len(outcomes), 'lever')} pulled" if outcomes else ""
    back = sum(outcome in BACK for outcome in outcomes)
    kept = outcomes.count("kept")
    if kept == len(outcomes):
        return f"{words.count(kept, 'lever')} kept: nothing brings them back"
    return f"{back} of {words.count(len(outcomes), 'lever')} back"
