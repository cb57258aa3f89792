"""What reads of a ledger prove of `stale`, `in_order`, `no_duplicates` and changed records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from histories import FAILOVER, NOTICED, Change, but, read, run
from objective_cases import Case, check

from chaos.experiment.objectives import Objective
from chaos.verdict import judge
from probes.outages import Interval

# A write each second; those of 4 to 6 failed. The failover is read at 14.5, the end at 23.5.
EARLY = (0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14)
ALL = (*EARLY, *range(15, 24))
UNREAD = but(ledgers=(read("failover", error="timed out"), read("end", *ALL)))


def reads(failover: tuple[int, ...], end: tuple[int, ...] = ALL, **more: Any) -> Change:
    first = replace(read("failover", *failover, took=0.5), **more)
    return but(ledgers=(first, replace(read("end", *end), ordered=first.ordered)))


STALE = {
    "nothing missed": Case(
        wanted=0.0,
        seen=FAILOVER,
        changes=(reads(EARLY[:-1]),),  # 14 was acknowledged while it was read
        value="held",
        reason="showed every acknowledged write at each read, 0 s allowed",
        measured=Interval(0, 0),
    ),
    "late, and within what is allowed": Case(
        wanted=2.0,
        seen=FAILOVER,
        changes=(reads(EARLY[:-2]),),
        value="held",
        reason="was stale while the fault was on: it did not show 1 acknowledged write (13), the"
        " oldest acknowledged 750 ms to 1.2 s before; 2 s allowed",
        measured=Interval(0.75, 1.25),
    ),
    "written after the failover, and not to be seen there": Case(
        wanted=5.0,
        seen=FAILOVER,
        changes=(reads(EARLY[:4]),),
        value="broken",
        reason="was stale while the fault was on: it did not show 7 acknowledged writes"
        " (7, 8, 9, 10, 11, …), the oldest acknowledged 6.8 s to 7.2 s before; 5 s allowed",
        measured=Interval(6.75, 7.25),
    ),
    "some of them are never seen": Case(
        wanted=0.0,
        seen=FAILOVER,
        changes=(reads((0, 1, *EARLY[4:]), tuple(n for n in ALL if n != 2)),),
        value="broken",
        reason="was stale at the end: it did not show 1 acknowledged write (2), the oldest"
        " acknowledged 21.2 s before, and 1 of them never did; 0 s allowed",
        measured=Interval(21.25, 21.25),
    ),
    "too close to tell": Case(
        wanted=1.0,
        seen=FAILOVER,
        changes=(reads(EARLY[:-2]),),
        value="unknown",
        reason="was stale while the fault was on: it did not show 1 acknowledged write (13), the"
        " oldest acknowledged 750 ms to 1.2 s before; 1 s allowed; too close to the objective to"
        " tell: probe more often",
        measured=Interval(0.75, 1.25),
    ),
    "a read that failed": Case(
        wanted=1.0,
        seen=FAILOVER,
        changes=(UNREAD,),
        value="unknown",
        reason="could not be read while the fault was on, which proves nothing: timed out",
        measured=Interval(0, 0),
    ),
    "nothing acknowledged": Case(
        wanted=1.0,
        seen="-" * 24,
        changes=(reads(()),),
        value="unknown",
        reason="had no acknowledged write to look for",
        measured=Interval(0, 0),
    ),
    "never read": Case(
        wanted=1.0,
        seen=FAILOVER,
        value="unknown",
        reason="was not read while the fault was on",
        measured=None,
    ),
}


@pytest.mark.parametrize("case", STALE.values(), ids=STALE)
def test_stale(case: Case) -> None:
    check("stale", case, "history")


IN_ORDER = {
    "as they were written": Case(
        wanted=True,
        seen=FAILOVER,
        changes=(reads(EARLY, ordered=True),),
        value="held",
        reason="showed all records in order",
        measured=Interval(0, 0),
    ),
    "two behind later ones": Case(
        wanted=True,
        seen=FAILOVER,
        changes=(reads((7, 0, 1, *EARLY[5:]), ordered=True),),
        value="broken",
        reason="showed 2 records (0, 1) behind later ones while the fault was on",
        measured=Interval(2, 2),
    ),
    "never read": Case(
        wanted=True,
        seen=FAILOVER,
        value="unknown",
        reason="was not read while the fault was on",
        measured=None,
    ),
}
NO_DUPLICATES = {
    "once each": Case(
        wanted=True,
        seen=FAILOVER,
        changes=(reads(EARLY),),
        value="held",
        reason="showed no record twice",
        measured=Interval(0, 0),
    ),
    "twice": Case(
        wanted=True,
        seen=FAILOVER,
        changes=(reads(EARLY, (*ALL, 3)),),
        value="broken",
        reason="showed 1 record (3) more than once at the end",
        measured=Interval(1, 1),
    ),
    "twice, and one that somebody else has written: the other may be theirs too": Case(
        wanted=True,
        seen=FAILOVER,
        changes=(reads(EARLY, (*ALL, 3, 90)),),
        value="unknown",
        reason="cannot be judged: records were found that were never written: 90",
        measured=Interval(1, 1),
    ),
    "a read that failed": Case(
        wanted=True,
        seen=FAILOVER,
        changes=(UNREAD,),
        value="unknown",
        reason="could not be read while the fault was on, which proves nothing: timed out",
        measured=Interval(0, 0),
    ),
}


@pytest.mark.parametrize("case", IN_ORDER.values(), ids=IN_ORDER)
def test_in_order(case: Case) -> None:
    check("in_order", case, "history")


@pytest.mark.parametrize("case", NO_DUPLICATES.values(), ids=NO_DUPLICATES)
def test_no_duplicates(case: Case) -> None:
    check("no_duplicates", case, "history")


def test_a_record_with_other_content_is_lost_and_the_reason_says_how() -> None:
    changed = reads(tuple(n for n in EARLY if n not in (1, 2)), conflicting=(1, 2))
    history = run({"history": {"rpo": 1.0}}, changed, NOTICED, history=FAILOVER)
    assert judge(history).reasons[0] == (
        "history lost 2 acknowledged writes (1, 2), the oldest 1.8 s to 2.5 s before the fault,"
        " 1 s allowed; 2 of them were there with other content than was written"
    )


@pytest.mark.parametrize("promise", ["rpo", "stale"])
def test_in_an_account_the_fault_must_be_seen_to_reach_the_ledger(promise: str) -> None:
    every = tuple(range(24))

    def on_aws(failover: tuple[int, ...]) -> str:
        where = {"kind": "aws", "endpoint": None}
        seen = "+" * 24
        history = run({"history": {promise: 60.0}}, reads(failover, every), NOTICED, history=seen)
        history = replace(history, header={**history.header, "environment": where})
        return judge(history).value

    assert on_aws(tuple(range(14))) == "unknown"
    assert on_aws(tuple(range(13))) == "held"


def test_promises_of_a_ledger_are_promises() -> None:
    for given in ({"stale": "0s"}, {"in_order": True}, {"no_duplicates": True}):
        assert Objective.model_validate(given).model_dump(exclude_defaults=True)
