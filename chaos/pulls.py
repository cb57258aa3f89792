"""The levers that a run has moved, and what became of each, from the events of its journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chaos.journal import Event

# The outcomes of a lever that is not back, though it could be.
UNFINISHED = ("open", "failed", "conflict")
# What a journal tells of a pull.
RECORDED = ("pull", "fault", "account", "lever", "prior", "value", "irreversible")
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


def pulls(events: Iterable[Event]) -> tuple[Pull, ...]:
    """Each pull that they tell of, in order of its number."""
    found: dict[int, dict[str, Any]] = {}
    over = False
    for e in events:
        match e["event"]:
            case "pull":
                known = {name: e[name] for name in RECORDED if name in e}
                found[e["pull"]] = {**known, "at": e["t"]}
            case "pulled":
                found[e["pull"]]["done"] = e["t"]
            case "noticed":
                found[e["pull"]]["noticed"] = e["count"]
            case "restored":
                found[e["pull"]] |= _ending(
                    e, late=over or "outcome" in found[e["pull"]], over=over
                )
            case "end":
                over = True
    return tuple(Pull(**p) for _, p in sorted(found.items()))


def _ending(e: Event, *, late: bool, over: bool) -> dict[str, Any]:
    back = e["t"] if e.get("back") is None else e["back"]
    ending = {"outcome": e["outcome"], "ended": back, "error": e.get("error", "")}
    return {**ending, "found": e.get("found"), "late": late, "after_end": over}
