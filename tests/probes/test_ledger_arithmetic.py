"""What a read of the ledger proves about acknowledged writes, and what it does not."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from probes.ledger import Lost, Read, Stale, Write, balance
from probes.outages import Interval

FAULT = Interval(10, 10.5)
NONE = Interval(0, 0)


def write(number: int, start: float, end: float | None = None, *, ok: bool = True) -> Write:
    return Write(
        number=number, start=start, end=start + 0.25 if end is None else end, acknowledged=ok
    )


def read(*found: int, at: float = 40.0, took: float = 0.0, **more: Any) -> Read:
    return Read(began=at, ended=at + took, found=found, **more)


def test_without_writes_there_is_nothing() -> None:
    found = balance([], read(), fault=FAULT)
    assert (found.acknowledged, found.lost, found.rpo) == (0, (), NONE)


def test_what_is_found_survived_and_costs_nothing() -> None:
    found = balance([write(1, 8), write(2, 9)], read(2, 1), fault=FAULT)
    assert (found.acknowledged, found.survived) == (2, (1, 2))
    assert (found.lost, found.rpo) == ((), NONE)


def test_rpo_is_the_age_of_the_oldest_lost_write() -> None:
    """The newest survivor does not matter: an older write may be lost beside it."""
    found = balance([write(1, 6), write(2, 7), write(3, 8), write(4, 9)], read(1, 3), fault=FAULT)
    assert [lost.number for lost in found.lost] == [2, 4]
    # Its effect lies between its start and its acknowledgement, the fault's between two moments.
    assert found.rpo == found.lost[0].age == Interval(10 - 7.25, 10.5 - 7)


def test_a_write_under_way_when_the_fault_came_may_have_no_age_at_all() -> None:
    found = balance([write(1, 9.75, 10.25)], read(), fault=FAULT)
    assert found.lost == (Lost(number=1, age=Interval(-0.25, 0.75)),)
    assert found.rpo == Interval(0, 0.75)


def test_a_write_lost_under_the_fault_is_told_apart_and_does_not_raise_rpo() -> None:
    found = balance([write(1, 10.5), write(2, 30)], read(), fault=FAULT)
    assert [lost.number for lost in found.lost_after] == [1, 2]
    assert (found.lost, found.rpo) == ((), NONE)


def test_an_old_acknowledgement_counts_whatever_came_later() -> None:
    """Both bounds are those of the worst write, which need not be the same one."""
    found = balance([write(1, 2, 9), write(2, 4, 4.5)], read(), fault=FAULT)
    assert found.rpo == Interval(5.5, 8.5)


def test_a_failed_write_may_have_been_applied_or_not() -> None:
    writes = [write(1, 8, ok=False), write(2, 9, ok=False)]
    found = balance(writes, read(2), fault=FAULT)
    assert (found.acknowledged, found.survived, found.lost) == (0, (), ())
    assert (found.recovered, found.unexpected) == ((2,), ())


def test_what_nobody_wrote_and_what_is_there_twice_is_named() -> None:
    found = balance([write(1, 8)], read(1, 1, 7, 7, 3), fault=FAULT)
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
    told = balance(writes, read(*found), fault=FAULT)
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
    told = balance(writes, read(*found), fault=FAULT).rpo
    assert told.low - 1e-9 <= max([0.0, *ages]) <= told.high + 1e-9


# --- late, out of order, changed ------------------------------------------------------------


def test_what_a_later_read_finds_was_only_late() -> None:
    early, later = read(1, at=20, took=0.5), read(1, 2, at=30, took=1)
    found = balance([write(1, 8), write(2, 9), write(3, 9)], early, fault=FAULT, later=[later])
    # Acknowledged at 9.25, not there at 20, there at 31 at the latest.
    assert found.stale == (Stale(number=2, missing=Interval(10.75, 21.75)),)
    assert found.unshown == (3,)
    assert found.behind == Interval(20 - 9.25, 20.5 - 9.25)
    assert [lost.number for lost in found.lost] == [2, 3]  # as far as this read can tell


def test_the_first_later_read_that_finds_it_counts() -> None:
    reads = [read(at=20), read(1, at=30), read(at=40), read(1, at=50)]
    found = balance([write(1, 8)], reads[0], fault=FAULT, later=reads[1:])
    assert found.stale == (Stale(number=1, missing=Interval(11.75, 21.75)),)
    assert balance([write(1, 8)], reads[2], fault=FAULT, later=reads[3:]).stale[0].number == 1


def test_what_was_acknowledged_while_a_read_went_on_is_neither_late_nor_lost() -> None:
    found = balance([write(1, 19.5, 20.1)], read(at=20, took=1), fault=FAULT, later=[read(1)])
    assert (found.acknowledged, found.stale, found.unshown, found.lost) == (0, (), (), ())


def test_what_came_after_until_is_not_demanded_and_may_be_stale_all_the_same() -> None:
    found = balance([write(1, 8), write(2, 19)], read(at=30), fault=FAULT, until=15)
    assert (found.acknowledged, [lost.number for lost in found.lost]) == (1, [1])
    assert found.unshown == (1, 2)


def test_what_survives_one_read_and_not_the_next_is_not_stable() -> None:
    found = balance(
        [write(1, 8), write(2, 9)], read(1, 2, at=20), fault=FAULT, later=[read(2), read(1, 2)]
    )
    assert (found.survived, found.stable) == ((1, 2), (2,))


def test_one_behind_a_write_begun_after_its_acknowledgement_is_out_of_order() -> None:
    writes = [write(1, 1), write(2, 2), write(3, 2.1), write(4, 4, ok=False), write(5, 5)]
    in_order = read(1, 3, 2, 4, 5, ordered=True)  # 2 and 3 overlap
    assert balance(writes, in_order, fault=FAULT).out_of_order == ()
    assert balance(writes, read(2, 1, 3, ordered=True), fault=FAULT).out_of_order == (1,)
    assert balance(writes, read(5, 4, 1, ordered=True), fault=FAULT).out_of_order == (1,)
    again = read(1, 2, 1, ordered=True)  # delivered twice, first where it belongs
    assert balance(writes, again, fault=FAULT).out_of_order == ()
    assert balance(writes, read(2, 1, 3), fault=FAULT).out_of_order == ()


def test_one_with_other_content_did_not_survive_even_if_the_right_one_is_there_too() -> None:
    found = balance([write(1, 8), write(2, 9)], read(1, 2, conflicting=(2, 2)), fault=FAULT)
    assert (found.survived, found.conflicting) == ((1,), (2,))
    assert [lost.number for lost in found.lost] == [2]
    strange = balance([write(1, 8)], read(1, conflicting=(9,)), fault=FAULT)
    assert (strange.unexpected, strange.conflicting) == ((9,), (9,))
