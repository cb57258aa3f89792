"""What ledgers answered when they were read, as the journal tells it: one `ledger` an event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chaos.journal import Event


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


def reads(events: Iterable[Event]) -> tuple[LedgerRead, ...]:
    """The reads among the events; journals of before do not tell of content and order."""
    return tuple(_read(event) for event in events if event["event"] == "ledger")


def _read(event: Event) -> LedgerRead:
    return LedgerRead(
        probe=event["probe"],
        when=event["when"],
        began=event["began"] if "began" in event else event["t"],
        t=event["t"],
        found=tuple(event["found"]),
        conflicting=tuple(event.get("conflicting", ())),
        ordered=event.get("ordered", False),
        error=event.get("error", ""),
    )
