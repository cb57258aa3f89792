"""The rule for RPO: did the acknowledged writes survive?

It is judged over every read of the ledger, the worst deciding. While the fault is on, what counts
is what the standby has: the failed region might have been gone for good.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaos.verdict.finding import TOO_COARSE, Finding, compared, span
from chaos.verdict.measurement import Measurement, Times
from probes.durations import show
from probes.ledger import Balance, Lost
from probes.outages import Interval

# How many lost writes a sentence names; verdict.json has them all.
NAMED = 5


def rpo(wanted: float, m: Measurement, _: Times) -> Finding:
    """Broken by what a read shows; held only when both reads were made and both show it."""
    read = [(r.when, r.balance) for r in m.readings if r.balance is not None]
    if not read:
        return Finding("unknown", _doubt(m))
    worst = max((balance for _, balance in read), key=lambda b: b.rpo.high)
    measured = Interval(max(balance.rpo.low for _, balance in read), worst.rpo.high)
    gone, late = _missing(wanted, m)
    if gone:
        return Finding("broken", f"lost {_named(gone)} made after the fault had begun", measured)
    value = compared(measured, wanted)
    if value != "broken" and (doubt := _doubt(m) or late):
        return Finding("unknown", doubt, measured)
    close = f"; {TOO_COARSE}" if value == "unknown" else ""
    return Finding(value, f"{_told(worst)}, {show(wanted)} allowed{close}", measured)


def _missing(wanted: float, m: Measurement) -> tuple[list[Lost], str]:
    """Writes made under the fault that are gone at the end, and a doubt about later ones.

    The objective says how far behind a reader may be: a write that was acknowledged no longer
    than that before the read may still be on its way. At a failover all of them may be.
    """
    ends = [(r.since, r.balance) for r in m.readings if r.when == "end" and r.balance]
    waited = [(since + write.age.low, write) for since, b in ends for write in b.lost_after]
    gone = [write for seconds, write in waited if seconds > wanted]
    late = [write for seconds, write in waited if seconds <= wanted]
    if not late:
        return gone, ""
    why = f"acknowledged within {show(wanted)} of the read, so they may still be on their way"
    return gone, f"did not show {_named(late)} at the end, {why}"


def _doubt(m: Measurement) -> str:
    """Why the reads cannot show that nothing more was lost, or nothing."""
    for when, moment in {"failover": "while the fault was on", "end": "at the end"}.items():
        reads = [r for r in m.readings if r.when == when]
        if not reads:
            return f"was not read {moment}"
        for failed in (r for r in reads if r.balance is None):
            return f"could not be read {moment}, which proves nothing: {failed.error}"
    if not m.latency["before"].count:
        return "had no write acknowledged before the fault: there was nothing to lose"
    if foreign := [n for r in m.readings for n in r.foreign]:
        return f"cannot be judged: records were found that were never written: {_list(foreign)}"
    return ""


def _told(worst: Balance) -> str:
    if not worst.lost:
        return f"lost none of {worst.acknowledged} acknowledged writes"
    return f"lost {_named(worst.lost)}, the oldest {span(worst.rpo)} before the fault"


def _named(lost: Sequence[Lost]) -> str:
    plural = "s" if len(lost) > 1 else ""
    return f"{len(lost)} acknowledged write{plural} ({_list([w.number for w in lost])})"


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:NAMED])) + (", …" if len(numbers) > NAMED else "")
