"""What each read of a ledger found, and each write that was lost, late, twice or out of order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chaos.asked_ledgers import LedgerRead
from chaos.history import History
from chaos.report import words
from chaos.verdict import Reading, Verdict
from probes.durations import show
from probes.ledger import Balance, Lost
from probes.outages import Interval

WHEN = {"failover": "while the fault was on", "end": "at the end"}
# So many writes of a read are listed one by one; verdict.json has all.
LISTED = 50


def ledgers(history: History, verdict: Verdict) -> Iterator[dict[str, Any]]:
    """A row for each read, in the order of the probes."""
    for name, found in verdict.probes.items():
        reads = [read for read in history.ledgers if read.probe == name]
        for read, reading in zip(reads, found.readings, strict=True):
            yield _row(read, reading)


def _row(read: LedgerRead, reading: Reading) -> dict[str, Any]:
    row: dict[str, Any] = {"probe": read.probe, "t": read.t, "when_text": WHEN[read.when]}
    balance = reading.balance
    if balance is None:
        return {**row, "error": reading.error, "writes": [], "more": 0}
    writes = [*_writes(balance)]
    return {
        **row,
        "error": "",
        "acknowledged": balance.acknowledged,
        "survived": len(balance.survived),
        "lost": len(balance.lost) + len(balance.lost_after),
        "stale": len(balance.stale),
        "rpo_text": words.span(balance.rpo),
        "remarks": _remarks(balance, reading),
        "writes": writes[:LISTED],
        "more": len(writes[LISTED:]),
    }


def _remarks(balance: Balance, reading: Reading) -> str:
    remarks = {
        "duplicated": len(balance.duplicated),
        "out of order": len(balance.out_of_order),
        "there with other content": len(balance.conflicting),
        "lost though acknowledged after the fault had begun": len(balance.lost_after),
        "acknowledged after the lifting and not there (yet)": len(balance.returning),
        "there at this read and gone at a later one": len(balance.survived) - len(balance.stable),
        "never written by this run": len(reading.foreign),
    }
    return ", ".join(f"{n} {text}" for text, n in remarks.items() if n)


def _writes(balance: Balance) -> Iterator[list[str]]:
    """Number, what became of it, and when it was written or how long it was missing."""
    stale = {late.number: late.missing for late in balance.stale}
    for write in (*balance.lost, *balance.lost_after, *balance.returning):
        what = "there with other content" if write.number in balance.conflicting else "missing"
        late = stale.pop(write.number, None)
        found = "" if late is None else f"; found by a later read, after {words.span(late)}"
        yield [str(write.number), what, f"written {_age(write)}{found}"]
    for number, missing in sorted(stale.items()):
        yield [str(number), "missing", f"found by a later read, after {words.span(missing)}"]
    for number in balance.out_of_order:
        yield [str(number), "out of order", "behind a write begun after its acknowledgement"]
    for number in balance.duplicated:
        yield [str(number), "there more than once", ""]


def _age(write: Lost) -> str:
    """When it was written, as seen from the fault."""
    low, high = write.age.low, write.age.high
    if high <= 0:
        return f"{words.span(Interval(-high, -low))} after the fault had begun"
    if low < 0:
        return f"{show(high)} before the fault or while it came"
    return f"{words.span(write.age)} before the fault"
