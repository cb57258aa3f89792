"""What a read of the ledger proves about acknowledged writes, and what it does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from probes.ledger import Lost, Write, balance
from probes.outages import Interval

FAULT = Interval(10, 10.5)
NONE = Interval(0, 0)


def write(number: int, start: float, end: float | None = None, *, ok: bool = True) -> Write:
    return Write(
        number=number, start=start, end=start + 0.25 if end is None else end, acknowledged=ok
    )


def test_without_writes_there_is_nothing() -> None:
    found = balance([], [], fault=FAULT)
    assert (found.acknowledged, found.lost, found.rpo) == (0, (), NONE)


def test_what_is_found_survived_and_costs_nothing() -> None:
    found = balance([write(1, 8), write(2, 9)], [2, 1], fault=FAULT)
    assert (found.acknowledged, found.survived) == (2, (1, 2))
    assert (found.lost, found.rpo) == ((), NONE)


def test_rpo_is_the_age_of_the_oldest_lost_write() -> None:
    """The newest survivor does not matter: an older write may be lost beside it."""
    found = balance([write(1, 6), write(2, 7), write(3, 8), write(4, 9)], [1, 3], fault=FAULT)
    assert [lost.number for lost in found.lost] == [2, 4]
    # Its effect lies between its start and its acknowledgement, the fault's between two moments.
    assert found.rpo == found.lost[0].age == Interval(10 - 7.25, 10.5 - 7)


def test_a_write_under_way_when_the_fault_came_may_have_no_age_at_all() -> None:
    found = balance([write(1, 9.75, 10.25)], [], fault=FAULT)
    assert found.lost == (Lost(number=1, age=Interval(-0.25, 0.75)),)
    assert found.rpo == Interval(0, 0.75)


def test_a_write_lost_under_the_fault_is_told_apart_and_does_not_raise_rpo() -> None:
    found = balance([write(1, 10.5), write(2, 30)], [], fault=FAULT)
    assert [lost.number for lost in found.lost_after] == [1, 2]
    assert (found.lost, found.rpo) == ((), NONE)


def test_an_old_acknowledgement_counts_whatever_came_later() -> None:
    """Both bounds are those of the worst write, which need not be the same one."""
    found = balance([write(1, 2, 9), write(2, 4, 4.5)], [], fault=FAULT)
    assert found.rpo == Interval(5.5, 8.5)


def test_a_failed_write_may_have_been_applied_or_not() -> None:
    writes = [write(1, 8, ok=False), write(2, 9, ok=False)]
    found = balance(writes, [2], fault=FAULT)
    assert (found.acknowledged, found.survived, found.lost) == (0, (), ())
    assert (found.recovered, found.unexpected) == ((2,), ())


def test_what_nobody_wrote_and_what_is_there_twice_is_named() -> None:
    found = balance([write(1, 8)], [1, 1, 7, 7, 3], fault=FAULT)
    assert (found.survived, found.duplicated, found.unexpected) == ((1,), (1, 7), (3, 7))


writes = st.lists(
    st.builds(
        lambda number, start, took, ok: write(number, start, start + took, ok=ok),
        st.integers(0, 30),
        st.floats(0, 20),
        st.floats(0, 3),
        st.booleans(),
    ),
    unique_by=lambda w: w.number,
)


@given(writes, st.lists(st.integers(0, 30)))
def test_every_number_is_accounted_for_once(writes: list[Write], found: list[int]) -> None:
    told = balance(writes, found, fault=FAULT)
    lost = [w.number for w in (*told.lost, *told.lost_after)]
    assert sorted([*told.survived, *lost]) == sorted(w.number for w in writes if w.acknowledged)
    assert len(told.survived) + len(lost) == told.acknowledged
    assert sorted([*told.survived, *told.recovered, *told.unexpected]) == sorted(set(found))


@given(writes, st.lists(st.integers(0, 30)), st.floats(0, 1), st.data())
def test_the_true_age_lies_in_the_interval(
    writes: list[Write], found: list[int], share: float, data: st.DataObject
) -> None:
    """Wherever within them the fault and each write really took effect."""
    fault = FAULT.low + share * (FAULT.high - FAULT.low)
    ages = [
        fault - (w.start + data.draw(st.floats(0, 1)) * (w.end - w.start))
        for w in writes
        if w.acknowledged and w.number not in found
    ]
    told = balance(writes, found, fault=FAULT).rpo
    assert told.low - 1e-9 <= max([0.0, *ages]) <= told.high + 1e-9
