"""What a damaged journal is still good for: a rollback takes what there is, and tells what is not.

A power cut may leave zeros in the middle of a file, and people edit journals by hand. What is not
about levers is left out: it could keep none from going back, and of samples there may be millions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chaos.journal import Event, Hole

OF_PULLS = ("pull", "pulled", "noticed", "restored")
NEEDED = ("fault", "lever", "prior", "value")
NOT_BACK = ("failed", "conflict")
# What is taken of a journal, and what each must have to be of use.
TAKEN = {
    "run": (),
    "phase": ("phase",),
    "stop": ("why",),
    "end": (),
    "pull": ("pull", *NEEDED),
    "pulled": ("pull",),
    "noticed": ("pull", "count"),
    "restored": ("pull", "outcome"),
}


def usable(events: Sequence[Event], holes: Sequence[Hole]) -> tuple[list[Event], tuple[str, ...]]:
    """The events without those of pulls that are not whole, and what may be open for want of them.

    Pulls are numbered without a gap, so a line that is lost before another pull shows itself.
    """
    pulls = {event["pull"] for event in events if event["event"] == "pull" and _whole(event)}
    taken = (e for e in events if _taken(e))
    kept = [e for e in taken if e["event"] not in OF_PULLS or _number(e) in pulls]
    return kept, (*_missing(events, pulls), *_perhaps(events, holes))


def _taken(event: Event) -> bool:
    needed: tuple[str, ...] | None = TAKEN.get(str(event["event"]))
    return needed is not None and all(name in event for name in needed)


def _missing(events: Sequence[Event], pulls: set[int]) -> list[str]:
    told = {_number(event) for event in events if event["event"] in OF_PULLS}
    back = {
        _number(e) for e in events if e["event"] == "restored" and e.get("outcome") not in NOT_BACK
    }
    return [
        f"the pull {number} cannot be read, so its lever is not put back from this journal"
        for number in range(max(told, default=-1) + 1)
        if number not in pulls and number not in back
    ]


def _perhaps(events: Sequence[Event], holes: Sequence[Hole]) -> list[str]:
    """Of a run that has come to its end each pull has another line, that tells how it ended."""
    names = [event["event"] for event in events]
    if "end" in names:
        return []
    last = max((n for n, name in enumerate(names) if name == "pull"), default=-1)
    return [
        f"line {line} cannot be read; if it told of a pull, that lever is not put back"
        for line, before in holes
        if before > last
    ]


def _whole(event: Event) -> bool:
    lever: Any = event.get("lever")
    known = isinstance(lever, dict) and isinstance(lever.get("kind"), str)
    return _number(event) >= 0 and known and all(name in event for name in NEEDED)


def _number(event: Event) -> int:
    number: Any = event.get("pull")
    return number if isinstance(number, int) else -1
