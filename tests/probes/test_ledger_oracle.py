"""The arithmetic of ledgers against a brute force that asks of each write, each pair, each read."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from probes.ledger import Balance, Read, Write, balance
from probes.outages import Interval

FAULT = Interval(10, 11)
NUMBERS = st.integers(0, 9)
MOMENTS = st.integers(0, 30)


@st.composite
def a_write(draw: st.DrawFn) -> Write:
    start = draw(MOMENTS)
    return Write(
        number=draw(NUMBERS),
        start=start,
        end=start + draw(st.integers(0, 6)),
        acknowledged=draw(st.booleans()),
    )


@st.composite
def some_reads(draw: st.DrawFn) -> list[Read]:
    """One to three, one after the other."""
    at, reads = draw(MOMENTS), []
    for _ in range(draw(st.integers(1, 3))):
        ended = at + draw(st.integers(0, 3))
        reads.append(
            Read(
                began=at,
                ended=ended,
                found=tuple(draw(st.lists(NUMBERS, max_size=12))),
                conflicting=tuple(draw(st.lists(NUMBERS, max_size=2))),
                ordered=draw(st.booleans()),
            )
        )
        at = ended + draw(st.integers(0, 5))
    return reads


WRITES = st.lists(a_write(), unique_by=lambda w: w.number, max_size=10)


def there(number: int, read: Read) -> bool:
    return number in read.found and number not in read.conflicting


def fate(write: Write, reads: list[Read], until: float) -> set[str]:
    """What a person would say of one write who looks at the first read, then at the others."""
    first, *others = reads
    if there(write.number, first):
        if not (write.acknowledged and write.end <= min(until, first.began)):
            return {"recovered"}
        return {"survived", *(["stable"] if all(there(write.number, r) for r in others) else [])}
    said: set[str] = set()
    if write.acknowledged and write.end <= first.began:
        came = [r for r in others if there(write.number, r)]
        said.add("stale" if came else "unshown")
        if write.end <= until:
            said.add("lost" if FAULT.high > write.start else "lost_after")
        else:
            said.add("returning")
    return said


def told(found: Balance) -> dict[str, set[int]]:
    return {
        "survived": {*found.survived},
        "stable": {*found.stable},
        "recovered": {*found.recovered},
        "lost": {w.number for w in found.lost},
        "lost_after": {w.number for w in found.lost_after},
        "returning": {w.number for w in found.returning},
        "stale": {w.number for w in found.stale},
        "unshown": {*found.unshown},
    }


@settings(max_examples=400)
@given(WRITES, some_reads(), st.integers(5, 40))
def test_each_write_has_the_fate_that_a_person_would_tell(
    writes: list[Write], reads: list[Read], until: int
) -> None:
    found = balance(writes, reads[0], fault=FAULT, until=until, later=reads[1:])
    fates = {w.number: fate(w, reads, until) for w in writes}
    for name, numbers in told(found).items():
        assert numbers == {n for n, said in fates.items() if name in said}, name
    assert found.acknowledged == len(found.survived) + len(found.lost) + len(found.lost_after)
    assert {*found.conflicting} == {*reads[0].conflicting}
    assert {*found.duplicated} == {n for n in reads[0].found if reads[0].found.count(n) > 1}


@settings(max_examples=400)
@given(WRITES, some_reads())
def test_disorder_is_what_no_order_of_effects_explains(
    writes: list[Write], reads: list[Read]
) -> None:
    """Of each pair: one that was acknowledged before the other began has to come out before it."""
    read, known = reads[0], {w.number: w for w in writes}
    places = {n: read.found.index(n) for n in read.found if n in known}
    wrong = set()
    for one, other in combinations(places, 2):
        for a, b in ((one, other), (other, one)):
            before = known[a].acknowledged and known[a].end < known[b].start
            if before and places[a] > places[b]:
                wrong.add(a)
    found = balance(writes, read, fault=FAULT)
    assert {*found.out_of_order} == (wrong if read.ordered else set())


@settings(max_examples=400)
@given(WRITES, some_reads(), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_truth_lies_in_the_intervals(
    writes: list[Write], reads: list[Read], when: float, looked: float, came: float
) -> None:
    """Wherever in its time each read looked, each write took effect and the fault came."""
    found = balance(writes, reads[0], fault=FAULT, later=reads[1:])
    by_number = {w.number: w for w in writes}
    fault = FAULT.low + came * (FAULT.high - FAULT.low)
    for lost in (*found.lost, *found.lost_after):
        write = by_number[lost.number]
        age = fault - (write.start + when * (write.end - write.start))
        assert lost.age.low - 1e-9 <= age <= lost.age.high + 1e-9
    moments = [r.began + looked * (r.ended - r.began) for r in reads]
    for stale in found.stale:
        seen = next(t for t, r in zip(moments, reads, strict=True) if there(stale.number, r))
        for since in (moments[0], seen):  # it was missing at the one, and shown at the other
            assert since - by_number[stale.number].end >= stale.missing.low - 1e-9
            assert since - by_number[stale.number].end <= stale.missing.high + 1e-9
    missed = [by_number[n] for n in {*found.unshown, *(s.number for s in found.stale)}]
    oldest = max([0.0, *(moments[0] - w.end for w in missed)])
    assert found.behind.low - 1e-9 <= oldest <= found.behind.high + 1e-9
