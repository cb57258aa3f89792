"""The plain lines of a run while it goes on, one for each thing that people should see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaos.history import lever_name
from chaos.journal import Event
from chaos.report import words
from probes.durations import show

PHASES = {
    "steady": "steady state: waiting until every probe is good",
    "inject": "every probe is good; beginning",
    "hold": "the fault is on; watching",
    "rollback": "putting back what is still changed",
    "recover": "waiting until every probe is good again",
    "judge": "judging",
}
FAULTS = {
    "injecting": "injecting",
    "injected": "injected",
    "lifting": "lifting",
    "lifted": "lifted, all its levers are back",
    "failed": "FAILED",
}
ASKED = ">>> "  # begins what a person is to do, so that it stands out
# A probe that goes up and down all the time has said it by then.
TURNS = 20


class Progress:
    """Follows the events of one run's journal as they are written."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._marks: list[str] = []  # what people have promised to mark
        self._moved = False  # a lever that can be put back
        self._levers: dict[int, str] = {}  # those of them that are not back
        self._down: dict[str, tuple[float, float]] = {}  # starts of the first and last bad attempt
        self._up: dict[str, float] = {}  # start of the good attempt that showed the recovery
        self._turns: dict[str, int] = {}
        self._read: dict[str, Callable[[Event], str | None]] = {
            "run": self._run,
            "phase": self._phase,
            "sample": self._sample,
            "fault": self._fault,
            "pull": self._pull,
            "restored": self._restored,
            "ledger": self._ledger,
            "stop": lambda e: f"stopping: {e['why']}",
            "mark": lambda e: f"marked: {e['what']}, by {e['by']}",
            "note": lambda e: f"{ASKED}{e['text']}",
        }

    def line(self, event: Event) -> str | None:
        """`+12.3s  playback is down: …`, or None for what need not be seen.

        Times are seconds since the run's start, of the lab's clock when that runs faster.
        """
        read = self._read.get(event["event"])
        text = read(event) if read else None
        if text is None:
            return None
        clock = f"+{event['t']:.1f}s"
        return f"{clock:>9}  {words.printable(text)}"

    def _run(self, event: Event) -> str:
        self._faults = [words.fault(fault) for fault in event["experiment"]["faults"]]
        self._marks = [*event["experiment"].get("marks", ())]
        speed = event["speed"]
        pace = f", at {speed:g} times the wall's speed" if speed != 1 else ""
        elsewhere = event["environment"]["kind"] != "embedded"
        place = f", {words.where(event['environment'])}" if elsewhere else ""
        stood_in = "".join(f". {text}" for text in words.stood_in(event["experiment"]))
        chance = "; when it begins is drawn, within a minute" if event.get("trial") else ""
        return f"run {event['run']}{place}{pace}{chance}{stood_in}"

    def _phase(self, event: Event) -> str | None:
        phase: str = event["phase"]
        if phase == "rollback" and not self._levers:
            return None
        back = ""
        if phase == "recover" and self._moved:
            back = "not all is put back; " if self._levers else "all is put back; "
        names = ", ".join(self._marks) if phase == "hold" else ""
        to_mark = f"; to be marked by chaos mark latest --as NAME: {names}" if names else ""
        return back + PHASES.get(phase, phase) + to_mark

    def _fault(self, event: Event) -> str:
        number = event["fault"]
        name = self._faults[number] if number < len(self._faults) else event["kind"]
        error = f": {event['error']}" if event.get("error") else ""
        return f"{name}: {FAULTS[event['state']]}{error}"

    def _pull(self, event: Event) -> None:
        if not event["irreversible"]:
            self._moved = True
            self._levers[event["pull"]] = lever_name(event["lever"])

    def _restored(self, event: Event) -> str | None:
        """Only what is wrong: that levers go back is what the fault's own line says."""
        name = self._levers.get(event["pull"], f"lever {event['pull']}")
        if event["outcome"] not in ("conflict", "failed"):
            self._levers.pop(event["pull"], None)
            return None
        error = f": {event['error']}" if event.get("error") else ""
        return f"{name}: {words.OUTCOMES[event['outcome']]}{error}"

    def _ledger(self, event: Event) -> str:
        if event["error"]:
            return f"{event['probe']}: the ledger cannot be read: {event['error']}"
        return f"{event['probe']}: the ledger has {words.count(len(event['found']), 'record')}"

    def _sample(self, event: Event) -> str | None:
        """Attempts end in another order than they began: one begun before a turn is old news."""
        probe, start = event["probe"], event["start"]
        down = self._down.get(probe)
        if event["crashed"]:
            return None
        if not event["ok"]:
            if down is None and start <= self._up.get(probe, -1.0):
                return None
            self._down[probe] = (down or (start,))[0], max(start, *(down or (start,)))
            says = "rings" if event["detail"].get("detected") else "is down"
            return None if down else self._turn(probe, f"{probe} {says}: {event['error']}")
        if down is None or start <= down[1]:
            return None
        del self._down[probe]
        self._up[probe] = start
        lasted = show(start - down[0])
        says = "is silent again" if event["detail"].get("detected") is False else "is back"
        return self._turn(probe, f"{probe} {says} after {lasted}{_by(event)}")

    def _turn(self, probe: str, text: str) -> str | None:
        turns = self._turns[probe] = self._turns.get(probe, 0) + 1
        if turns == TURNS:
            return f"{text} (it goes up and down; the report has the rest)"
        return text if turns < TURNS else None


def _by(event: Event) -> str:
    region: Any = event["detail"].get("region")
    return f", from {region}" if region else ""
