"""What a journal says, folded into one frozen value. Verdict and reports start from here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chaos.called import Call, calls
from chaos.errors import JournalFailed
from chaos.journal import VERSION, Event, read, salvaged
from chaos.marks import Mark
from chaos.packing import unpacked
from chaos.salvaging import usable
from probes.probe import Sample

# The outcomes of a lever that is not back, though it could be.
UNFINISHED = ("open", "failed", "conflict")
# What a journal tells of a pull.
RECORDED = ("pull", "fault", "account", "lever", "prior", "value", "irreversible")
NO_PHASES: dict[str, float] = {}
# Those of one that is where it was.
BACK = ("restored", "already")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One lever that was moved, and what became of it.

    `outcome` is "open" (moved, not yet put back), "restored", "already" (it was at its prior
    value), "conflict" (somebody else changed it: left alone), "failed", "kept" (a one-way door)
    or "gone" (the environment ended, and the lever with it).
    """

    pull: int
    fault: int
    lever: dict[str, Any]
    account: str | None = None
    prior: Any
    value: Any
    irreversible: bool = False
    at: float = 0.0
    done: float | None = None  # when the environment was seen to have the new value
    outcome: str = "open"
    ended: float | None = None  # when it was back; that it stayed so is known a little later
    found: Any = None
    error: str = ""
    noticed: int | None = None  # how often the fault met traffic; None where nobody counts
    late: bool = False  # back only at a second try or after the run's end, if at all
    after_end: bool = False  # back only after the run's end


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
class LedgerRead:
    """What a ledger found when it was read: `when` is "failover" (fault still on) or "end".

    `conflicting` are numbers whose record had other content; `ordered`: the order means something.
    """

    probe: str
    when: str
    began: float
    t: float  # when it had ended
    found: tuple[int, ...]
    conflicting: tuple[int, ...] = ()
    ordered: bool = False
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
    except (KeyError, TypeError) as error:
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
        samples=_samples(events),
        faults=_faults(events),
        pulls=_pulls(events),
        ledgers=tuple(
            LedgerRead(
                probe=e["probe"],
                when=e["when"],
                began=e["began"] if "began" in e else e["t"],
                t=e["t"],
                found=tuple(e["found"]),
                conflicting=tuple(e.get("conflicting", ())),  # journals of before have none
                ordered=e.get("ordered", False),
                error=e.get("error", ""),
            )
            for e in _of(events, "ledger")
        ),
        calls=calls(events),
        stops=tuple(e["why"] for e in _of(events, "stop")),
        asked=min(
            (e["asked"] if "asked" in e else e["t"] for e in _of(events, "stop")), default=None
        ),
        notes=tuple(e["text"] for e in _of(events, "note")),
        marks=tuple(map(Mark.noted, _of(events, "mark"))),
        ended=events[-1]["t"],
        finished=any(_of(events, "end")),
    )


def _of(events: Sequence[Event], *names: str) -> list[Event]:
    return [e for e in events if e["event"] in names]


def _samples(events: Sequence[Event]) -> dict[str, tuple[Sample, ...]]:
    by_probe: dict[str, list[Sample]] = {name: [] for name in events[0]["experiment"]["probes"]}
    for e in unpacked(_of(events, "sample", "samples")):
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
        phases=NO_PHASES,
        detail=e.get("detail", NO_PHASES),
    )


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


def _pulls(events: Sequence[Event]) -> tuple[Pull, ...]:
    pulls: dict[int, dict[str, Any]] = {}
    for e in _of(events, "pull"):
        pulls[e["pull"]] = {name: e[name] for name in RECORDED if name in e}
        pulls[e["pull"]]["at"] = e["t"]
    for e in _of(events, "pulled"):
        pulls[e["pull"]]["done"] = e["t"]
    for e in _of(events, "noticed"):
        pulls[e["pull"]]["noticed"] = e["count"]
    over = False
    for e in _of(events, "restored", "end"):
        if e["event"] == "end":
            over = True
            continue
        pull = pulls[e["pull"]]
        back = e["t"] if e.get("back") is None else e["back"]
        ending = {"outcome": e["outcome"], "ended": back, "error": e.get("error", "")}
        pull.update(ending, found=e.get("found"), late=over or "outcome" in pull, after_end=over)
    return tuple(Pull(**p) for _, p in sorted(pulls.items()))
