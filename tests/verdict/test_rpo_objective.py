"""RPO: what reads of the ledger prove, and what they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from histories import (
    FAILOVER,
    GOOD,
    LIFTED,
    NOTICED,
    ONE_WAY,
    Change,
    but,
    read,
    run,
)
from objective_cases import Case, check

from chaos.verdict import judge
from probes.outages import Interval
from probes.probe import Sample

# A write each second: 0 to 2 are acknowledged before the fault, which is complete at 3.5; 3 is
# acknowledged between its beginning and its completion.
FAILED_OVER = (0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14)
ALL = (*FAILED_OVER, 15, 16, 17, 18, 19, 20, 21, 22, 23)


def reads(failover: tuple[int, ...], end: tuple[int, ...] = ALL) -> Change:
    return but(ledgers=(read("failover", *failover), read("end", *end)))


def later(seconds: float) -> Change:
    """The ledger's first attempt was made so much later, and all others with it."""

    def moved(s: Sample) -> Sample:
        return replace(s, due=s.due + seconds, start=s.start + seconds, end=s.end + seconds)

    return lambda h: replace(h, samples={"history": tuple(map(moved, h.samples["history"]))})


RPO = {
    "nothing lost": Case(
        wanted=0.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER),),
        value="held",
        reason="lost none of 12 acknowledged writes, 0 s allowed",
        measured=Interval(0, 0),
    ),
    "a little lost": Case(
        wanted=3.0,
        seen=FAILOVER,
        changes=(reads((0, 3)),),
        value="held",
        reason="lost 2 acknowledged writes (1, 2), the oldest 1.8 s to 2.5 s before the fault,"
        " 3 s allowed",
        measured=Interval(1.75, 2.5),
    ),
    "too much lost": Case(
        wanted=1.5,
        seen=FAILOVER,
        changes=(reads((0, 3)),),
        value="broken",
        reason="lost 2 acknowledged writes (1, 2), the oldest 1.8 s to 2.5 s before the fault,"
        " 1.5 s allowed",
        measured=Interval(1.75, 2.5),
    ),
    "too close to tell": Case(
        wanted=2.0,
        seen=FAILOVER,
        changes=(reads((0, 3)),),
        value="unknown",
        reason="lost 2 acknowledged writes (1, 2), the oldest 1.8 s to 2.5 s before the fault,"
        " 2 s allowed; too close to the objective to tell: probe more often",
        measured=Interval(1.75, 2.5),
    ),
    "acknowledged while the fault came": Case(
        wanted=0.6,
        seen=FAILOVER,
        changes=(reads((0, 1, 2)),),
        value="held",
        reason="lost 1 acknowledged write (3), the oldest 0 s to 500 ms before the fault, 600 ms"
        " allowed",
        measured=Interval(0, 0.5),
    ),
    "lost on the way back": Case(
        wanted=1.5,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, ALL[2:]),),
        value="broken",
        reason="lost 2 acknowledged writes (0, 1), the oldest 2.8 s to 3.5 s before the fault,"
        " 1.5 s allowed; 2 of them were there while the fault was on",
        measured=Interval(2.75, 3.5),
    ),
    "written under the fault and gone for good": Case(
        wanted=9.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, (0, 1, 2, 3, 14, 15)),),
        value="broken",
        reason="lost 7 acknowledged writes (7, 8, 9, 10, 11, …) made after the fault had begun, the"
        " first 3.5 s to 4.2 s after it; 7 of them were there while the fault was on",
        measured=Interval(0, 0),
    ),
    "lost before the fault, and under it too": Case(
        wanted=1.5,
        seen=FAILOVER,
        changes=(reads((0, 3), (0, 3, 14, 15)),),
        value="broken",
        reason="lost 2 acknowledged writes (1, 2), the oldest 1.8 s to 2.5 s before the fault,"
        " 1.5 s allowed; and 13 acknowledged writes (7, 8, 9, 10, 11, …) made after the fault had"
        " begun",
        measured=Interval(1.75, 2.5),
    ),
    "five are all named": Case(
        wanted=9.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, (0, 1, 2, 3, 12, 13, 14, 15)),),
        value="broken",
        reason="lost 5 acknowledged writes (7, 8, 9, 10, 11) made after the fault had begun, the"
        " first 3.5 s to 4.2 s after it; 5 of them were there while the fault was on",
        measured=Interval(0, 0),
    ),
    "written under the fault, and not yet on the other side": Case(
        wanted=0.0,
        seen=FAILOVER,
        changes=(reads((0, 1, 2, 3)),),
        value="held",
        reason="lost none of 12 acknowledged writes, 0 s allowed",
        measured=Interval(0, 0),
    ),
    "written so late that it may be on its way": Case(
        wanted=9.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, (*FAILED_OVER, 15)),),
        value="held",
        reason="lost none of 12 acknowledged writes, 9 s allowed",
        measured=Interval(0, 0),
    ),
    "written after the lifting, and lost on the way back": Case(
        wanted=7.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, (*FAILED_OVER, 15)),),
        value="broken",
        reason="lost 1 acknowledged write (16) made after the fault had begun, the first 12.5 s to"
        " 13.2 s after it",
        measured=Interval(0, 0),
    ),
    "written after the lifting, where a reader has no time": Case(
        wanted=0.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, (*FAILED_OVER, 15)),),
        value="held",
        reason="lost none of 12 acknowledged writes, 0 s allowed",
        measured=Interval(0, 0),
    ),
    "written as the fault was lifted": Case(
        wanted=9.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, FAILED_OVER), but(phases=())),
        value="held",
        reason="lost none of 12 acknowledged writes, 9 s allowed",
        measured=Interval(0, 0),
    ),
    "written so late that a reader may be so far behind": Case(
        wanted=9.25,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, FAILED_OVER[:-1]),),
        value="unknown",
        reason="did not show 1 acknowledged write (14) at the end, acknowledged within 9.2 s of"
        " the read, so they may still be on their way",
        measured=Interval(0, 0),
    ),
    "a reader farther behind than that": Case(
        wanted=9.24,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, FAILED_OVER[:-1]),),
        value="broken",
        reason="lost 1 acknowledged write (14) made after the fault had begun, the first 10.5 s to"
        " 11.2 s after it; 1 of them was there while the fault was on",
        measured=Interval(0, 0),
    ),
    "a read at the end of a run without a recovery": Case(
        wanted=0.0,
        seen=FAILOVER,
        changes=(
            reads(FAILED_OVER, (*FAILED_OVER, 15)),
            *ONE_WAY,
            but(phases=(("inject", 2.75), ("rollback", LIFTED))),
        ),
        value="broken",
        reason="lost 8 acknowledged writes (16, 17, 18, 19, 20, …) made after the fault had begun,"
        " the first 12.5 s to 13.2 s after it",
        measured=Interval(0, 0),
    ),
    "a read that failed proves nothing": Case(
        wanted=5.0,
        seen=FAILOVER,
        changes=(but(ledgers=(read("failover", error="timed out"), read("end", *ALL))),),
        value="unknown",
        reason="could not be read while the fault was on, which proves nothing: timed out",
        measured=Interval(0, 0),
    ),
    "both reads failed": Case(
        wanted=5.0,
        seen=FAILOVER,
        changes=(but(ledgers=(read("failover", error="a"), read("end", error="b"))),),
        value="unknown",
        reason="could not be read while the fault was on, which proves nothing: a",
        measured=None,
    ),
    "a read failed, and the other one shows a loss": Case(
        wanted=1.0,
        seen=FAILOVER,
        changes=(but(ledgers=(read("failover", *FAILED_OVER[1:]), read("end", error="x"))),),
        value="broken",
        reason="lost 1 acknowledged write (0), the oldest 2.8 s to 3.5 s before the fault, 1 s"
        " allowed",
        measured=Interval(2.75, 3.5),
    ),
    "never read": Case(
        wanted=5.0,
        seen=FAILOVER,
        value="unknown",
        reason="was not read while the fault was on",
        measured=None,
    ),
    "not read at the end": Case(
        wanted=5.0,
        seen=FAILOVER,
        changes=(but(ledgers=(read("failover", *FAILED_OVER),)),),
        value="unknown",
        reason="was not read at the end",
        measured=Interval(0, 0),
    ),
    "nothing written before the fault": Case(
        wanted=5.0,
        seen="---++++++++++++++++++++++",
        changes=(reads(tuple(range(3, 15)), tuple(range(3, 24))),),
        value="unknown",
        reason="had no write acknowledged before the fault: there was nothing to lose",
        measured=Interval(0, 0),
    ),
    "found what was never written": Case(
        wanted=5.0,
        seen=FAILOVER,
        changes=(reads((*FAILED_OVER, 40)),),
        value="unknown",
        reason="cannot be judged: records were found that were never written: 40",
        measured=Interval(0, 0),
    ),
    "found what was tried too long ago to be under way": Case(
        wanted=5.0,
        seen="++++---+++++++++++++ +++",
        changes=(reads(FAILED_OVER, ALL),),
        value="unknown",
        reason="cannot be judged: records were found that were never written: 20",
        measured=Interval(0, 0),
    ),
    "found what may have been under way": Case(
        wanted=5.0,
        seen="++++---++++++++++++++ ++",
        changes=(reads(FAILED_OVER, ALL),),
        value="held",
        reason="lost none of 12 acknowledged writes, 5 s allowed",
        measured=Interval(0, 0),
    ),
    "found what was under way when the observation ended": Case(
        wanted=5.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, (*ALL, 24)),),
        value="held",
        reason="lost none of 12 acknowledged writes, 5 s allowed",
        measured=Interval(0, 0),
    ),
    "found what was not due when the observation ended": Case(
        wanted=5.0,
        seen=FAILOVER,
        changes=(reads(FAILED_OVER, (*ALL, 24)), later(0.6)),
        value="unknown",
        reason="cannot be judged: records were found that were never written: 24",
        measured=Interval(0, 0),
    ),
}


@pytest.mark.parametrize("case", RPO.values(), ids=RPO)
def test_rpo(case: Case) -> None:
    check("rpo", case, "history")


def test_the_worse_of_two_reads_decides_each_bound() -> None:
    """A slow write may be the older one by one bound and the younger one by the other."""
    slow = Sample(probe="history", n=100, due=0.0, start=0.0, end=2.75, ok=True)
    changes = (
        but(ledgers=(read("failover", *FAILED_OVER), read("end", *ALL, 100))),
        lambda h: replace(h, samples={"history": (slow, *h.samples["history"][1:])}),
    )
    history = run({"history": {"rpo": 60.0}}, *changes, history=FAILOVER)
    assert judge(history).results[0].measured == Interval(0.25, 3.5)
    lost = but(ledgers=(read("failover", *FAILED_OVER), read("end", *FAILED_OVER[2:], 100)))
    assert judge(lost(history)).results[0].measured == Interval(1.75, 3.5)


@pytest.mark.parametrize(("acknowledged", "lost"), [(14.4, 1), (14.41, 0)])
def test_a_read_speaks_of_what_was_acknowledged_before_it(acknowledged: float, lost: int) -> None:
    """Before it began: it may have passed the place by the time it ended."""
    last = Sample(probe="history", n=14, due=14.0, start=14.0, end=acknowledged, ok=True)
    changes = (
        but(ledgers=(read("failover", *FAILED_OVER[:-1], took=0.1),)),
        lambda h: replace(h, samples={"history": (*h.samples["history"][:14], last)}),
    )
    history = run({"history": {"rpo": 60.0}}, *changes, history=FAILOVER)
    (reading,) = judge(history).probes["history"].readings
    assert reading.balance is not None
    assert len(reading.balance.lost_after) == lost


def test_what_is_acknowledged_while_a_read_goes_on_is_not_held_against_it() -> None:
    slow = Sample(probe="history", n=2, due=2.0, start=2.9, end=14.45, ok=True)
    found = tuple(n for n in range(24) if n != 2)
    changes = (
        NOTICED,
        but(ledgers=(read("failover", *found, took=0.1), read("end", *range(24)))),
        lambda h: replace(
            h, samples={"history": tuple(slow if s.n == 2 else s for s in h.samples["history"])}
        ),
    )
    assert judge(run({"history": {"rpo": 0.5}}, *changes, history=GOOD)).value == "held"


def test_a_read_without_a_fault_is_not_weighed() -> None:
    history = run({}, but(pulls=(), ledgers=(read("end", 1),)), history=GOOD)
    assert judge(history).probes["history"].readings == ()


def test_a_read_before_the_first_fault_was_complete_counts_from_its_beginning() -> None:
    changes = (reads((0,)), but(faults=()))
    history = run({"history": {"rpo": 5.0}}, *changes, history=FAILOVER)
    (rpo, _) = judge(history).results
    assert rpo.measured == Interval(1.75, 2)
