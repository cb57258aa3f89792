"""RTO: a failover in time, shown while the fault was on; anything else is no such thing."""

from __future__ import annotations

import math

import pytest
from histories import (
    FAILOVER,
    GOOD,
    NEVER,
    NO_FAILOVER,
    NOTICED,
    ONE_WAY,
    TWO,
    but,
    of_probe,
    window,
)
from objective_cases import Case, check

from probes.outages import Interval

BACK = Interval(3, 4.25)
RTO = {
    "a failover in time": Case(
        wanted=6.0,
        seen=FAILOVER,
        value="held",
        reason="was back after 3 s to 4.2 s, 6 s allowed",
        measured=BACK,
        how="failover",
    ),
    "the last moment is in time": Case(
        wanted=4.25,
        seen=FAILOVER,
        value="held",
        reason="was back after 3 s to 4.2 s, 4.2 s allowed",
        measured=BACK,
        how="failover",
    ),
    "a failover too late": Case(
        wanted=2.9,
        seen=FAILOVER,
        value="broken",
        reason="was back after 3 s to 4.2 s, 2.9 s allowed",
        measured=BACK,
        how="failover",
    ),
    "too close to tell": Case(
        wanted=3.0,
        seen=FAILOVER,
        value="unknown",
        reason="was back after 3 s to 4.2 s, 3 s allowed; too close to the objective to tell:"
        " probe more often",
        measured=BACK,
        how="failover",
    ),
    "never down": Case(
        wanted=6.0,
        seen=GOOD,
        changes=(NOTICED,),
        value="held",
        reason="never failed while the fault was on",
        measured=Interval(0, 0),
        how="unaffected",
    ),
    "no failover": Case(
        wanted=6.0,
        seen=NO_FAILOVER,
        value="broken",
        reason="recovered only after the fault was lifted: 11 s to 12.2 s, 6 s allowed",
        measured=Interval(11, 12.25),
        how="after lifting",
    ),
    "no failover, but the objective allows for longer than the fault lasted": Case(
        wanted=60.0,
        seen=NO_FAILOVER,
        value="unknown",
        reason="was not shown to recover before the fault was lifted: 11 s to 12.2 s, 60 s"
        " allowed; a longer fault would tell",
        measured=Interval(11, 12.25),
        how="after lifting",
    ),
    "never back": Case(
        wanted=6.0,
        seen=NEVER,
        value="broken",
        reason="did not recover: more than 20 s, 6 s allowed",
        measured=Interval(20, math.inf),
        how="never",
    ),
    "never back, but not watched for as long as the objective allows": Case(
        wanted=60.0,
        seen=NEVER,
        value="unknown",
        reason="was not shown to recover before the observation ended: more than 20 s, 60 s"
        " allowed; a longer one would tell",
        measured=Interval(20, math.inf),
        how="never",
    ),
    "no attempt under the fault": Case(
        wanted=6.0,
        seen="+++            +++++++++",
        changes=(NOTICED,),
        value="unknown",
        reason="made no attempt while the fault was on",
        measured=None,
    ),
    "a fault that nothing lifts": Case(
        wanted=6.0,
        seen=FAILOVER,
        changes=ONE_WAY,
        value="held",
        reason="was back after 3 s to 4.2 s, 6 s allowed",
        measured=BACK,
        how="failover",
    ),
    "back while both of two faults were on": Case(
        wanted=6.0,
        seen=FAILOVER,
        changes=TWO,
        value="held",
        reason="was back after 3 s to 4.2 s, 6 s allowed",
        measured=BACK,
        how="failover",
    ),
    "back when one of two faults had been lifted": Case(
        wanted=8.0,
        seen="++++-----+++++++++++++++",
        changes=TWO,
        value="unknown",
        reason="was back after 5 s to 6.2 s, 8 s allowed, but one of the faults had been lifted"
        " by then: no proof of a failover",
        measured=Interval(5, 6.25),
        how="after lifting",
    ),
    "too late even if it was a failover": Case(
        wanted=4.0,
        seen="++++-----+++++++++++++++",
        changes=TWO,
        value="broken",
        reason="was back after 5 s to 6.2 s, 4 s allowed",
        measured=Interval(5, 6.25),
        how="failover",
    ),
    "the probe broke once": Case(
        wanted=6.0,
        seen="++++---++?++++++++++++++",
        value="unknown",
        reason="cannot be judged: the probe itself broke once and may have missed something: boom",
        measured=BACK,
        how="failover",
    ),
    "the probe broke, and what it saw was too late": Case(
        wanted=2.0,
        seen="++++---+++++++++??++++++",
        value="broken",
        reason="was back after 3 s to 4.2 s, 2 s allowed",
        measured=BACK,
        how="failover",
    ),
    "no attempt for longer than a period and a timeout": Case(
        wanted=6.0,
        seen="++++---++++  +++++++++++",
        value="unknown",
        reason="cannot be judged: no attempt began for 3 s: the measuring itself stood still",
        measured=BACK,
        how="failover",
    ),
    "failures may be owed to a standstill": Case(
        wanted=2.0,
        seen="++++---++++++++++  +++++",
        value="unknown",
        reason="cannot be judged: no attempt began for 3 s: the measuring itself stood still",
        measured=BACK,
        how="failover",
    ),
    "one attempt left out is no gap": Case(
        wanted=6.0,
        seen="++++---++++ ++++++++++++",
        value="held",
        reason="was back after 3 s to 4.2 s, 6 s allowed",
        measured=BACK,
        how="failover",
    ),
    "nothing was broken": Case(
        wanted=6.0,
        seen=GOOD,
        changes=(but(pulls=(), faults=()),),
        value="unknown",
        reason="was not put to the test",
        measured=None,
    ),
    "back just before one of two faults was lifted": Case(
        wanted=6.0,
        seen=FAILOVER,
        changes=(*TWO, but(faults=(window(), window(fault=1, kind="slow_dns", lifting=7.25)))),
        value="held",
        reason="was back after 3 s to 4.2 s, 6 s allowed",
        measured=BACK,
        how="failover",
    ),
    "a gap of just a period and a timeout": Case(
        wanted=6.0,
        seen="++++---++++ ++++++++++++",
        changes=(of_probe(timeout=1.0),),
        value="held",
        reason="was back after 3 s to 4.2 s, 6 s allowed",
        measured=BACK,
        how="failover",
    ),
}


@pytest.mark.parametrize("case", RTO.values(), ids=RTO)
def test_rto(case: Case) -> None:
    check("rto", case)
