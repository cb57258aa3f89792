"""The rules for data: did acknowledged writes survive, were they seen at once, once, in order?

They are judged over every read of the ledger, the worst deciding. While the fault is on, what
counts is what the standby has: the failed region might have been gone for good.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from chaos.verdict.finding import TOO_COARSE, Finding, compared, span
from chaos.verdict.measurement import Measurement, Times
from chaos.verdict.readings import Reading
from probes.durations import show
from probes.ledger import Balance, Lost
from probes.outages import Interval

# How many lost writes a sentence names; verdict.json has them all.
NAMED = 5
AFTER = "made after the fault had begun"
WHEN = {"failover": "while the fault was on", "end": "at the end"}


def rpo(wanted: float, m: Measurement, _: Times) -> Finding:
    """Broken by what a read shows; held only when both reads were made and both show it."""
    read = _read(m)
    if not read:
        return Finding("unknown", _doubt(m))
    worst = max((balance for _, balance in read), key=lambda b: b.rpo.high)
    measured = Interval(max(balance.rpo.low for _, balance in read), worst.rpo.high)
    value = compared(measured, wanted)
    gone, late = _missing(wanted, m)
    if gone and value != "broken":
        first = Interval(min(-w.age.high for w in gone), min(-w.age.low for w in gone))
        told = f"lost {_named(gone)} {AFTER}, the first {span(first)} after it"
        return Finding("broken", told + _how(gone, m), measured)
    if value != "broken" and (doubt := _doubt(m) or late):
        return Finding("unknown", doubt, measured)
    told = f"{_told(worst)}, {show(wanted)} allowed"
    told += f"; and {_named(gone)} {AFTER}" if gone else ""
    close = f"; {TOO_COARSE}" if value == "unknown" else ""
    return Finding(value, told + _how([*worst.lost, *gone], m) + close, measured)


def stale(wanted: float, m: Measurement, _: Times) -> Finding:
    """No read may miss a write that was acknowledged longer before it than that.

    Whether the write came later, or never, is all one here: nobody who reads can tell.
    """
    read = _read(m)
    if not read:
        return Finding("unknown", _doubt(m, rpo=False))
    worst, balance = max(read, key=lambda pair: pair[1].behind.low)
    high = max(balance.behind.high for _, balance in read)
    measured = Interval(balance.behind.low, high)
    value = compared(measured, wanted)
    if value != "broken" and (doubt := _doubt(m, rpo=False)):
        return Finding("unknown", doubt, measured)
    if not high:
        told = f"showed every acknowledged write at each read, {show(wanted)} allowed"
        return Finding(value, told, measured)
    missed = sorted({*(s.number for s in balance.stale), *balance.unshown})
    never = f", and {len(balance.unshown)} of them never did" if balance.unshown else ""
    told = f"was stale {WHEN[worst.when]}: it did not show {_writes(missed)}, the oldest"
    told += f" acknowledged {span(balance.behind)} before{never}; {show(wanted)} allowed"
    return Finding(value, told + (f"; {TOO_COARSE}" if value == "unknown" else ""), measured)


def in_order(_: bool, m: Measurement, __: Times) -> Finding:
    """No record may come out behind one that was only begun after its acknowledgement."""
    return _none(m, lambda b: b.out_of_order, "behind later ones", "showed all records in order")


def no_duplicates(_: bool, m: Measurement, __: Times) -> Finding:
    """No record may be there twice."""
    return _none(m, lambda b: b.duplicated, "more than once", "showed no record twice")


def _none(
    m: Measurement, which: Callable[[Balance], Sequence[int]], how: str, held: str
) -> Finding:
    read = _read(m)
    if not read:
        return Finding("unknown", _doubt(m, rpo=False))
    worst, balance = max(read, key=lambda pair: len(which(pair[1])))
    found = which(balance)
    count = Interval(len(found), len(found))
    if found and not _foreign(m):  # whose are they, where others write there too?
        plural = "s" if len(found) > 1 else ""
        told = f"showed {len(found)} record{plural} ({_list(found)}) {how} {WHEN[worst.when]}"
        return Finding("broken", told, count)
    doubt = _doubt(m, rpo=False)
    return Finding("unknown", doubt, count) if doubt else Finding("held", held, count)


def _read(m: Measurement) -> list[tuple[Reading, Balance]]:
    return [(r, r.balance) for r in m.readings if r.balance is not None]


def _missing(wanted: float, m: Measurement) -> tuple[list[Lost], str]:
    """Writes made under the fault or on the way back that are gone at the end, and a doubt.

    The objective says how far behind a reader may be: a write that was acknowledged no longer
    than that before the read may still be on its way. At a failover all of them may be. Of those
    made after the lifting some always are: they leave no doubt, and where the objective leaves a
    reader no time at all (0 s), nothing tells which are lost.
    """
    ends = [(r.since, r.balance) for r in m.readings if r.when == "end" and r.balance]
    after = [(since + write.age.low, write) for since, b in ends for write in b.lost_after]
    back = [(since + write.age.low, write) for since, b in ends for write in b.returning]
    gone = [write for seconds, write in (*after, *(back if wanted else ())) if seconds > wanted]
    late = [write for seconds, write in after if seconds <= wanted]
    if not late:
        return gone, ""
    why = f"acknowledged within {show(wanted)} of the read, so they may still be on their way"
    return gone, f"did not show {_named(late)} at the end, {why}"


def _how(lost: Sequence[Lost], m: Measurement) -> str:
    """What else the reads tell of those that were lost: overwritten, or lost on the way back."""
    numbers = {write.number for write in lost}
    return "".join(_clauses(numbers, m))


def _clauses(lost: Collection[int], m: Measurement) -> Iterator[str]:
    read = _read(m)
    other = {n for _, b in read for n in b.conflicting if n in lost}
    if other:
        yield f"; {_were(other)} there with other content than was written"
    back = {n for r, b in read if r.when == "failover" for n in b.survived if n in lost}
    if back:
        yield f"; {_were(back)} there while the fault was on"


def _were(numbers: Collection[int]) -> str:
    return f"{len(numbers)} of them {'was' if len(numbers) == 1 else 'were'}"


def _doubt(m: Measurement, *, rpo: bool = True) -> str:
    """Why the reads cannot show that nothing more was lost, or nothing."""
    for when, moment in WHEN.items():
        reads = [r for r in m.readings if r.when == when]
        if not reads:
            return f"was not read {moment}"
        for failed in (r for r in reads if r.balance is None):
            return f"could not be read {moment}, which proves nothing: {failed.error}"
    if not m.latency["before"].count and rpo:
        return "had no write acknowledged before the fault: there was nothing to lose"
    if not any(balance.acknowledged for _, balance in _read(m)):
        return "had no acknowledged write to look for"
    if foreign := _foreign(m):
        return f"cannot be judged: records were found that were never written: {_list(foreign)}"
    return ""


def _foreign(m: Measurement) -> list[int]:
    return [n for r in m.readings for n in r.foreign]


def _told(worst: Balance) -> str:
    if not worst.lost:
        return f"lost none of {worst.acknowledged} acknowledged writes"
    return f"lost {_named(worst.lost)}, the oldest {span(worst.rpo)} before the fault"


def _named(lost: Sequence[Lost]) -> str:
    return _writes([w.number for w in lost])


def _writes(numbers: Sequence[int]) -> str:
    plural = "s" if len(numbers) > 1 else ""
    return f"{len(numbers)} acknowledged write{plural} ({_list(numbers)})"


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:NAMED])) + (", …" if len(numbers) > NAMED else "")
