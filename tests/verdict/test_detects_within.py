"""The objective `detects_within`: did the alarm ring in time, and because of this fault?

Signs: o the alarm was seen to be silent, A to ring; - an attempt that got no answer.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from histories import GOOD, ONE_WAY, but, pull, run, samples, window
from hypothesis import given
from hypothesis import strategies as st
from objective_cases import Case, check, judged

from chaos.verdict import judge
from probes.outages import Interval

LITTLE = "a longer fault, or more answers under it, would tell"

DETECTS = {
    "in time": Case(
        wanted=6.0,
        seen="ooooooooAAAAAAAAAAoooooo",
        value="held",
        reason="detected the fault after 4 s to 5.2 s, 6 s allowed",
        measured=Interval(4, 5.25),
    ),
    "at the first look": Case(
        wanted=1.0,
        seen="oooAAAAAAAAAAAAAAAoooooo",
        value="held",
        reason="detected the fault after 0 s to 250 ms, 1 s allowed",
        measured=Interval(0, 0.25),
    ),
    "too late": Case(
        wanted=3.0,
        seen="ooooooooAAAAAAAAAAoooooo",
        value="broken",
        reason="detected the fault after 4 s to 5.2 s, 3 s allowed",
        measured=Interval(4, 5.25),
    ),
    "too close to tell": Case(
        wanted=5.0,
        seen="ooooooooAAAAAAAAAAoooooo",
        value="unknown",
        reason="detected the fault after 4 s to 5.2 s, 5 s allowed; too close to the objective to"
        " tell: probe more often",
        measured=Interval(4, 5.25),
    ),
    "no answer is no detection": Case(
        wanted=6.0,
        seen="oooo----AAAAAAAAAAoooooo",
        value="held",
        reason="detected the fault after 0 s to 5.2 s, 6 s allowed",
        measured=Interval(0, 5.25),
    ),
    "nothing but failed attempts are no detection either": Case(
        wanted=6.0,
        seen="ooo---------------oooooo",
        value="unknown",
        reason="gave no answer before the fault, or none while it was on",
        measured=None,
    ),
    "what answers only afterwards leaves all open": Case(
        wanted=6.0,
        seen="ooo---------------Aooooo",
        value="unknown",
        reason="detected the fault after 0 s to 15.2 s, 6 s allowed; too close to the objective to"
        " tell: probe more often",
        measured=Interval(0, 15.25),
    ),
    "it is silent again at once": Case(
        wanted=6.0,
        seen="ooooooooAooooooooooooooo",
        value="held",
        reason="detected the fault after 4 s to 5.2 s, 6 s allowed",
        measured=Interval(4, 5.25),
    ),
    "never": Case(
        wanted=6.0,
        seen="oooooooooooooooooooooooo",
        value="broken",
        reason="did not detect the fault: more than 11 s, 6 s allowed",
        measured=Interval(11, math.inf),
        how="not detected",
    ),
    "never, and the last looks got no answer": Case(
        wanted=6.0,
        seen="oooooo---------ooooooooo",
        value="unknown",
        reason=f"did not detect the fault: more than 2 s, 6 s allowed; {LITTLE}",
        measured=Interval(2, math.inf),
        how="not detected",
    ),
    "never, in a fault that was lifted sooner": Case(
        wanted=14.0,
        seen="oooooooooooooooooooooooo",
        value="unknown",
        reason=f"did not detect the fault: more than 11 s, 14 s allowed; {LITTLE}",
        measured=Interval(11, math.inf),
        how="not detected",
    ),
    "only after a fault that lasted long enough": Case(
        wanted=6.0,
        seen="ooooooooooooooooooAAoooo",
        value="broken",
        reason="detected the fault after 14 s to 15.2 s, 6 s allowed",
        measured=Interval(14, 15.25),
    ),
    "only after a fault that was lifted sooner": Case(
        wanted=13.0,
        seen="ooooooooooooooooooAAoooo",
        value="unknown",
        reason=f"detected the fault after 14 s to 15.2 s, 13 s allowed; {LITTLE}",
        measured=Interval(14, 15.25),
    ),
    "silent under a part of the fault only": Case(
        wanted=4.0,
        seen="oooooooo-------ooooooooA",
        value="unknown",
        reason=f"detected the fault after 19 s to 20.2 s, 4 s allowed; {LITTLE}",
        measured=Interval(19, 20.25),
    ),
    "in time, but the fault was lifted by then": Case(
        wanted=20.0,
        seen="ooooooooooooooooooAAoooo",
        value="unknown",
        reason="detected the fault after 14 s to 15.2 s, 20 s allowed, but it may have been lifted"
        " by then: no proof",
        measured=Interval(14, 15.25),
    ),
    "it rang before the fault": Case(
        wanted=6.0,
        seen="ooAAAAAAAAAAAAAAAAoooooo",
        value="unknown",
        reason="told of a fault before there was one, so it has detected nothing",
        measured=None,
    ),
    "it rang before the fault, was silent and rang again": Case(
        wanted=6.0,
        seen="ooAoooooAAAAAAAAAAoooooo",
        value="unknown",
        reason="told of a fault before there was one, so it has detected nothing",
        measured=None,
    ),
    "nobody has looked before the fault": Case(
        wanted=6.0,
        seen="---AAAAAAAAAAAAAAAoooooo",
        value="unknown",
        reason="gave no answer before the fault, or none while it was on",
        measured=None,
    ),
    "a probe that says nothing of detection": Case(
        wanted=6.0,
        seen=GOOD,
        value="unknown",
        reason="gave no answer before the fault, or none while it was on",
        measured=None,
    ),
    "a fault that nothing lifts": Case(
        wanted=6.0,
        seen="ooooooooAAAAAAAAAAAAAAAA",
        changes=ONE_WAY,
        value="held",
        reason="detected the fault after 4 s to 5.2 s, 6 s allowed",
        measured=Interval(4, 5.25),
    ),
    "the probe broke, and may have seen it first": Case(
        wanted=6.0,
        seen="oooo??ooAAAAAAAAAAoooooo",
        value="unknown",
        reason="cannot be judged: the probe itself broke 2 times and may have missed something:"
        " boom",
        measured=Interval(4, 5.25),
    ),
    "the measuring stood still": Case(
        wanted=2.0,
        seen="oooo    AAAAAAAAAAoooooo",
        value="unknown",
        reason="detected the fault after 0 s to 5.2 s, 2 s allowed; too close to the objective to"
        " tell: probe more often",
        measured=Interval(0, 5.25),
    ),
    "nothing was broken": Case(
        wanted=6.0,
        seen="oooooooooooooooooooooooo",
        changes=(but(pulls=()),),
        value="unknown",
        reason="was not put to the test",
        measured=None,
    ),
}


@pytest.mark.parametrize("case", DETECTS.values(), ids=DETECTS)
def test_detects_within(case: Case) -> None:
    check("detects_within", case, probe="alarm")


def test_an_alarm_that_rang_shows_that_the_fault_bit() -> None:
    seen = {"alarm": "ooooooooAAAAAAAAAAoooooo"}
    verdict = judge(
        run({"alarm": {"detects_within": 6.0}}, but(pulls=(pull(noticed=None),)), **seen)
    )
    assert (verdict.value, verdict.reasons[0]) == (
        "held",
        "alarm detected the fault after 4 s to 5.2 s, 6 s allowed",
    )


def test_an_alarm_that_stays_silent_does_not() -> None:
    silent = run({"alarm": {"detects_within": 6.0}}, alarm="o" * 24)
    verdict = judge(silent)
    assert verdict.value == "unknown"
    assert verdict.reasons[0].startswith("nothing noticed the fault")
    met = judge(replace(silent, pulls=(pull(noticed=7),), faults=(window(),)))
    assert (met.value, met.reasons[0]) == (
        "broken",
        "alarm did not detect the fault: more than 11 s, 6 s allowed",
    )


def test_an_alarm_that_does_not_clear_breaks_the_recovery() -> None:
    verdict = judge(run({"alarm": {"detects_within": 6.0}}, alarm="oooooooo" + "A" * 16))
    recovery = next(r for r in verdict.results if r.objective == "recover_within")
    assert recovery.value == "unknown"
    assert recovery.reason.startswith("alarm was not shown to be good again")


SIGNS = st.lists(st.sampled_from("oA-? "), min_size=24, max_size=24).map("".join)


@given(SIGNS, st.integers(min_value=1, max_value=20))
def test_it_is_never_held_without_an_attempt_that_saw_it_under_the_fault(
    signs: str, wanted: int
) -> None:
    case = Case(wanted=float(wanted), seen=signs, value="", reason="", measured=None)
    found = judged("detects_within", case, "alarm")
    looks = [s for s in samples("alarm", signs) if "detected" in s.detail]
    ringing = [s for s in looks if s.start >= 3.0 and s.end <= 3.0 + wanted and not s.ok]
    if found.value == "held":
        assert any(s.end <= 15.0 for s in ringing)
    if found.value == "broken":
        assert not ringing
        assert any(s.ok and 3.0 + wanted < s.start < 15.0 for s in looks)
