"""What a journal says, folded into one frozen value. Verdict and reports start from here."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chaos.asked_ledgers import LedgerRead, reads
from chaos.called import Call, calls
from chaos.errors import JournalFailed
from chaos.journal import VERSION, Event, read, salvaged
from chaos.marks import Mark
from chaos.pulls import BACK, RECORDED, UNFINISHED, Pull, pulls
from chaos.salvaging import usable
from chaos.sampled import samples
from probes.outages import Interval
from probes.probe import Sample

__all__ = [
    "BACK",
    "RECORDED",
    "UNFINISHED",
    "FaultWindow",
    "History",
    "LedgerRead",
    "Pull",
    "fold",
    "lever_name",
    "load",
    "setting",
]

# What packed samples raise besides when a bit of them was changed.
DAMAGED = (zlib.error, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultWindow:
    """One fault's time: from the first pull's start to the last lever's return.

    `ended` is None for a fault that nothing lifts (an instance terminated) and for one that was
    still on when the journal ended.
    """

    fault: int
    kind: str
    began: float | None = None
    injected: float | None = None
    lifting: float | None = None
    ended: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A run, complete or cut off anywhere."""

    header: dict[str, Any]
    phases: tuple[tuple[str, float], ...] = ()
    samples: dict[str, tuple[Sample, ...]] = field(default_factory=dict)  # in order of `due`
    faults: tuple[FaultWindow, ...] = ()
    pulls: tuple[Pull, ...] = ()
    ledgers: tuple[LedgerRead, ...] = ()
    calls: tuple[Call, ...] = ()  # what the API was asked to change
    stops: tuple[str, ...] = ()  # why the run was ended early, first reason first
    asked: float | None = None  # when somebody first wished so
    notes: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    lags: tuple[Interval, ...] = ()  # when the lab itself answered late
    ended: float = 0.0  # time of the last event
    finished: bool = False  # the run came to its own end
    lost: tuple[str, ...] = ()  # what may be open and is not among the pulls: it cannot be read

    @property
    def run(self) -> str:
        return str(self.header["run"])

    @property
    def experiment(self) -> dict[str, Any]:
        """The experiment as it was decoded: name, title, probes, faults, objectives …"""
        experiment: dict[str, Any] = self.header["experiment"]
        return experiment

    @property
    def first_injection(self) -> float | None:
        """When the first lever began to move: where the clocks of RTO and RPO start.

        A person is told to begin, and marks when they have: their clocks start at the mark, or at
        the first bad attempt after the telling, if that is earlier.
        """
        return min((self._took_hold(pull)[0] for pull in self.pulls), default=None)

    @property
    def latest_injection(self) -> float | None:
        """The same, if what had failed and come back before a mark was another's doing."""
        return min((self._took_hold(pull)[1] for pull in self.pulls), default=None)

    def _took_hold(self, pull: Pull) -> tuple[float, float]:
        """When it began to move, at the earliest and at the latest."""
        marked = next((f.injected for f in self.faults if f.fault == pull.fault), None)
        if marked is None or not self.experiment["faults"][pull.fault].get("by_hand"):
            return pull.at, pull.at
        bad = [max(pull.at, s.start) for s in self.bad_since(pull.at)]
        down = [_down_since(seen, pull.at, marked) for seen in self.samples.values()]
        return min([marked, *bad]), min([marked, *down])

    def bad_since(self, began: float) -> list[Sample]:
        """The bad attempts of all probes that a fault which began then may have met."""
        samples = (s for of_probe in self.samples.values() for s in of_probe)
        return [s for s in samples if not s.ok and not s.crashed and max(s.start, s.end) > began]

    @property
    def open_pulls(self) -> tuple[Pull, ...]:
        """Levers that are not back, last pulled first: the order in which to put them back."""
        return tuple(p for p in reversed(self.pulls) if p.outcome in UNFINISHED)

    @property
    def back_after(self) -> float | None:
        """Seconds from the wish to end the run early until all that was still on was back.

        None where nothing was, and where something was not back when the run ended: what nothing
        brings back, or what went with its environment, is not back either.
        """
        ends = [p.ended for p in self.pulls if p.outcome in BACK and not p.after_end]
        if self.asked is None or not self.finished or len(ends) < len(self.pulls):
            return None
        last = max((end for end in ends if end is not None), default=self.asked)
        return last - self.asked if last > self.asked else None

    def phase(self, name: str) -> float | None:
        """When the phase began, or None when the run did not come to it."""
        return next((t for phase, t in self.phases if phase == name), None)

    def mark(self, what: str) -> Mark | None:
        """The first mark of that name."""
        return next((mark for mark in self.marks if mark.what == what), None)


def _down_since(samples: Sequence[Sample], asked: float, marked: float) -> float:
    """When the outage that was on at the mark began; the mark's time where none was."""
    since = marked
    for sample in sorted(samples, key=lambda s: s.start, reverse=True):
        if sample.crashed or sample.start >= marked:
            continue
        if sample.ok or sample.end <= asked:
            break
        since = max(asked, sample.start)
    return since


def lever_name(lever: dict[str, Any]) -> str:
    """A lever for people: `reachability us-east-1`, by its fields that are words.

    Which run marks what it creates, it is ours.
    """
    words = (value for name, value in lever.items() if name != "run" and value not in (None, ""))
    return " ".join(str(value) for value in words if not isinstance(value, (dict, list)))


def setting(value: Any) -> str:
    """A lever's value for people: text as it is, anything else as JSON; None is `absent`."""
    if value is None:
        return "absent"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def load(path: Path, *, salvage: bool = False) -> History:
    """What the journal at `path` tells; raises JournalFailed.

    `salvage` takes of a damaged one what there is, and tells in `lost` what may be open.
    """
    events, lost = usable(*salvaged(path)) if salvage else (read(path), ())
    try:
        return replace(fold(events), lost=lost)
    except JournalFailed as error:
        raise JournalFailed(f"{path}: {error}") from error


def fold(events: Iterable[Event]) -> History:
    """The history that the events tell; raises JournalFailed when they are no journal."""
    events = list(events)
    try:
        return _fold(events)
    except (KeyError, TypeError, ValueError, *DAMAGED) as error:
        raise JournalFailed(f"the journal cannot be understood: {error!r}") from error


def _fold(events: Sequence[Event]) -> History:
    if not events or events[0].get("event") != "run":
        raise JournalFailed("the journal does not begin with a run")
    if events[0]["v"] != VERSION:
        raise JournalFailed(
            f"the journal has version {events[0]['v']}, this chaos reads version {VERSION}"
        )
    return History(
        header=events[0],
        phases=tuple((e["phase"], e["t"]) for e in _of(events, "phase")),
        samples=samples(events),
        faults=_faults(events),
        pulls=pulls(events),
        ledgers=reads(events),
        calls=calls(events),
        stops=tuple(e["why"] for e in _of(events, "stop")),
        asked=min(
            (e["asked"] if "asked" in e else e["t"] for e in _of(events, "stop")), default=None
        ),
        notes=tuple(e["text"] for e in _of(events, "note")),
        marks=tuple(map(Mark.noted, _of(events, "mark"))),
        lags=tuple(Interval(e["since"], e["until"]) for e in _of(events, "lag")),
        ended=events[-1]["t"],
        finished=any(_of(events, "end")),
    )


def _of(events: Sequence[Event], *names: str) -> list[Event]:
    return [e for e in events if e["event"] in names]


def _faults(events: Sequence[Event]) -> tuple[FaultWindow, ...]:
    """`fault` events carry the fault's number, its kind and its state.

    When levers did not go back at once, a fault is lifted again: it began to go at the first try.
    """
    windows: dict[int, dict[str, Any]] = {}
    at = {"injecting": "began", "injected": "injected", "lifting": "lifting"}
    for e in _of(events, "fault"):
        window = windows.setdefault(e["fault"], {"fault": e["fault"], "kind": e["kind"]})
        if e["state"] == "failed":
            window["error"] = e["error"]
        elif e["state"] == "lifted":
            window["ended"] = e["t"] if e.get("back") is None else e["back"]
        else:
            window.setdefault(at[e["state"]], e["t"])
    return tuple(FaultWindow(**w) for _, w in sorted(windows.items()))
