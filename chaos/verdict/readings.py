"""What each read of a ledger says of the writes that a run has made: numbers, no judgement."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from chaos.asked_ledgers import LedgerRead
from chaos.history import History
from probes.ledger import Balance, Read, Write, balance
from probes.outages import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One read of a ledger, at the "failover" (fault still on) or the "end".

    `since` is how long after the injection the read began, in seconds. `balance` is None when the
    read failed, for that proves nothing. `foreign` are the numbers found that this run cannot have
    written. `ordered` says whether the order in which records came out means something.
    """

    when: str
    since: float
    balance: Balance | None
    foreign: tuple[int, ...] = ()
    ordered: bool = False
    error: str = ""


def readings(
    probe: str, history: History, fault: Interval, settling: float | None
) -> Iterator[Reading]:
    """All reads of the probe's ledger, in the order in which they were made.

    The fault came at `fault`, and began to go at `settling`: what was acknowledged after that may
    still be on its way when the ledger is read at the end.
    """
    reads = [r for r in history.ledgers if r.probe == probe]
    for read in reads:
        since = read.began - fault.low
        if read.error:
            yield Reading(when=read.when, since=since, balance=None, error=read.error)
            continue
        later = [_seen(r) for r in reads if r.began >= read.t and not r.error]
        until = settling if read.when == "end" and settling is not None else math.inf
        found = balance(_writes(probe, history), _seen(read), fault=fault, until=until, later=later)
        yield Reading(
            when=read.when,
            since=since,
            balance=found,
            foreign=_foreign(found, read, history),
            ordered=read.ordered,
        )


def _writes(probe: str, history: History) -> list[Write]:
    return [
        Write(number=s.n, start=s.start, end=s.end, acknowledged=s.ok)
        for s in history.samples[probe]
    ]


def _seen(read: LedgerRead) -> Read:
    return Read(
        began=read.began,
        ended=read.t,
        found=read.found,
        conflicting=read.conflicting,
        ordered=read.ordered,
    )


def _foreign(found: Balance, read: LedgerRead, history: History) -> tuple[int, ...]:
    """Of the unexpected, those that were not under way when the observation ended either.

    Such an attempt has left no sample.
    """
    every, timeout = (history.experiment["probes"][read.probe][k] for k in ("every", "timeout"))
    first = next((s.due - s.n * every for s in history.samples[read.probe]), 0.0)
    oldest, newest = read.t - timeout - every, read.t + every
    return tuple(n for n in found.unexpected if not oldest <= first + n * every <= newest)
