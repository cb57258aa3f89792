"""What the API was asked to change, as the journal tells it: one `call` an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.journal import Event

TOLD = ("service", "region", "operation", "began", "pull", "account", "undo", "request_id", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was to change something. Times are seconds since the run's start.

    `account` is its name in the experiment (None: the only one), `pull` the pull that it belongs
    to, `undo` whether it was to put that lever back. `request_id` is AWS's own; None where nobody
    gave one, as the lab. Of a call that botocore has sent again it is that of the last time.
    """

    service: str
    region: str
    operation: str
    began: float
    ended: float
    pull: int | None = None
    account: str | None = None
    undo: bool = False
    request_id: str | None = None
    error: str = ""


def calls(events: Iterable[Event]) -> tuple[Call, ...]:
    """The calls among the events, in the order in which they ended."""
    return tuple(_call(event) for event in events if event["event"] == "call")


def _call(event: Event) -> Call:
    told: dict[str, Any] = {name: event[name] for name in TOLD if name in event}
    return Call(**told, ended=event["t"])


def unrecorded(moved: Iterable[int], back: Iterable[int], calls: Sequence[Call]) -> list[int]:
    """The pulls of which the record lacks a call: the journal was full, or is older than that.

    `moved` are the pulls whose lever was moved, `back` those whose lever this run has put back.
    """
    made = {call.pull for call in calls if not call.undo}
    undone = {call.pull for call in calls if call.undo}
    return sorted({*moved} - made | {*back} - undone)
