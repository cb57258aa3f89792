"""Healing, being steady again, availability, and being unaffected."""

from __future__ import annotations

import math

import pytest
from histories import (
    FAILOVER,
    GOOD,
    NEVER,
    ONE_WAY,
    but,
)
from objective_cases import Case, check

from probes.outages import Interval

HEALS = {
    "at once": Case(
        wanted=2.0,
        seen=FAILOVER,
        value="held",
        reason="healed 0 s after the fault was lifted, 2 s allowed",
        measured=Interval(0, 0),
    ),
    "in time": Case(
        wanted=2.0,
        seen="++++------------++++++++",
        value="held",
        reason="healed 0 s to 1 s after the fault was lifted, 2 s allowed",
        measured=Interval(0, 1),
    ),
    "too late": Case(
        wanted=2.0,
        seen="++++---------------+++++",
        value="broken",
        reason="healed 2.8 s to 4 s after the fault was lifted, 2 s allowed",
        measured=Interval(2.75, 4),
    ),
    "too close to tell": Case(
        wanted=3.0,
        seen="++++---------------+++++",
        value="unknown",
        reason="healed 2.8 s to 4 s after the fault was lifted, 3 s allowed; too close to the"
        " objective to tell: probe more often",
        measured=Interval(2.75, 4),
    ),
    "never": Case(
        wanted=2.0,
        seen=NEVER,
        value="broken",
        reason="was not shown to be good again: more than 7.8 s after the fault was lifted, 2 s"
        " allowed",
        measured=Interval(7.75, math.inf),
        how="never",
    ),
    "not seen again": Case(
        wanted=2.0,
        seen="++++---++++++++",
        value="unknown",
        reason="made no attempt after the fault was lifted",
        measured=None,
    ),
    "a fault that nothing lifts": Case(
        wanted=2.0,
        seen=FAILOVER,
        changes=ONE_WAY,
        value="unknown",
        reason="cannot be judged: the fault was not lifted",
        measured=None,
    ),
}


@pytest.mark.parametrize("case", HEALS.values(), ids=HEALS)
def test_heals_within(case: Case) -> None:
    check("heals_within", case)


STEADY = {
    "in time": Case(
        wanted=8.0,
        seen="++++-------------+++++++",
        value="held",
        reason="was steady again 750 ms to 2 s after the fault was lifted, 8 s allowed",
        measured=Interval(0.75, 2),
    ),
    "two good attempts at the end are not steady": Case(
        wanted=8.0,
        seen="++++-----------------++",
        value="unknown",
        reason="was not shown to be good again: more than 4.8 s after the fault was lifted, 8 s"
        " allowed",
        measured=Interval(4.75, math.inf),
        how="never",
    ),
    "never": Case(
        wanted=8.0,
        seen="++++---------------------",
        changes=(but(ended=25.0),),
        value="broken",
        reason="was not shown to be good again: more than 8.8 s after the fault was lifted, 8 s"
        " allowed",
        measured=Interval(8.75, math.inf),
        how="never",
    ),
    "counted from the recovery where nothing lifts the fault": Case(
        wanted=8.0,
        seen="++++-------------+++++++",
        changes=ONE_WAY,
        value="held",
        reason="was steady again 500 ms to 1.8 s after the fault was lifted, 8 s allowed",
        measured=Interval(0.5, 1.75),
    ),
    "no attempt any more": Case(
        wanted=8.0,
        seen="++++---++++++++",
        value="unknown",
        reason="made no attempt after the fault was lifted",
        measured=None,
    ),
    "nothing was broken": Case(
        wanted=8.0,
        seen=GOOD,
        changes=(but(pulls=()),),
        value="unknown",
        reason="was not put to the test",
        measured=None,
    ),
}


@pytest.mark.parametrize("case", STEADY.values(), ids=STEADY)
def test_every_probe_must_be_steady_again(case: Case) -> None:
    check("recover_within", case)


AVAILABILITY = {
    "enough": Case(
        wanted=0.75,
        seen=FAILOVER,
        value="held",
        reason="was available to 75% of the attempts, 75% wanted",
        measured=Interval(0.75, 0.75),
    ),
    "not enough": Case(
        wanted=0.76,
        seen=FAILOVER,
        value="broken",
        reason="was available to 75% of the attempts, 76% wanted",
        measured=Interval(0.75, 0.75),
    ),
    "no attempt": Case(
        wanted=0.75,
        seen="+++            +++++++++",
        value="unknown",
        reason="made no attempt while the fault was on",
        measured=None,
    ),
    "the window of a fault that nothing lifts ends with the hold": Case(
        wanted=0.5,
        seen="++++---++++++++++-------",
        changes=ONE_WAY,
        value="held",
        reason="was available to 76.92% of the attempts, 50% wanted",
        measured=Interval(10 / 13, 10 / 13),
    ),
    "the journal breaks off": Case(
        wanted=0.3,
        seen="++++---+",
        changes=(*ONE_WAY, but(phases=(("inject", 2.75),), ended=8.0, finished=False)),
        value="held",
        reason="was available to 40% of the attempts, 30% wanted",
        measured=Interval(0.4, 0.4),
    ),
}


@pytest.mark.parametrize("case", AVAILABILITY.values(), ids=AVAILABILITY)
def test_availability(case: Case) -> None:
    check("availability", case)


UNAFFECTED = {
    "not a bad attempt": Case(
        wanted=True,
        seen="-+++++++++++++++++++++++",
        value="held",
        reason="was unaffected",
        measured=Interval(0, 0),
        how="unaffected",
    ),
    "one": Case(
        wanted=True,
        seen="+++++-++++++++++++++++++",
        value="broken",
        reason="was to be unaffected, but 1 attempt failed",
        measured=Interval(0, 2.25),
    ),
    "the way back counts too": Case(
        wanted=True,
        seen="+++++++++++++++++--+++++",
        value="broken",
        reason="was to be unaffected, but 2 attempts failed",
        measured=Interval(0.75, 3.25),
    ),
    "no attempt": Case(
        wanted=True,
        seen="+++            +++++++++",
        value="unknown",
        reason="made no attempt while the fault was on",
        measured=None,
    ),
    "the probe broke": Case(
        wanted=True,
        seen="++++++??++++++++++++++++",
        value="unknown",
        reason="cannot be judged: the probe itself broke 2 times and may have missed something:"
        " boom",
        measured=Interval(0, 0),
        how="unaffected",
    ),
}


@pytest.mark.parametrize("case", UNAFFECTED.values(), ids=UNAFFECTED)
def test_unaffected(case: Case) -> None:
    check("unaffected", case)
