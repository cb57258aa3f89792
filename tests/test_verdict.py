"""A verdict is never better than the evidence, and its first reason is the decisive one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from histories import (
    FAILOVER,
    GOOD,
    NEVER,
    NO_FAILOVER,
    NOTICED,
    TWO,
    Change,
    but,
    of_faults,
    pull,
    run,
    window,
)

from chaos.history import Pull
from chaos.verdict import judge, judge_safely

RTO = {"playback": {"rto": 6.0}}
UNAFFECTED = {"playback": {"unaffected": True, "rto": None}}


def first(objectives: dict[str, Any], *changes: Change, **signs: str) -> tuple[str, int, str]:
    verdict = judge(run(objectives, *changes, **signs))
    return verdict.value, verdict.exit_code, verdict.reasons[0]


# --- the value ----------------------------------------------------------------------------


def test_held_is_that_everything_held() -> None:
    verdict = judge(run(RTO, playback=FAILOVER))
    assert (verdict.value, verdict.exit_code) == ("held", 0)
    assert verdict.reasons == (
        "playback was back after 3 s to 4.2 s, 6 s allowed",
        "playback was steady again 0 s after the fault was lifted, 8 s allowed",
    )


def test_one_broken_objective_breaks_it_and_is_the_first_reason() -> None:
    objectives = {"playback": {"rto": 6.0}, "canary": {"unaffected": True}}
    value, code, reason = first(objectives, playback=NO_FAILOVER, canary=GOOD)
    assert (value, code) == ("broken", 1)
    assert reason == (
        "playback recovered only after the fault was lifted: 11 s to 12.2 s, 6 s allowed;"
        " 10 of the last 10 bad attempts: boom"
    )


def test_what_is_broken_is_broken_though_something_else_is_not_known() -> None:
    objectives = {"canary": {"unaffected": True}, "playback": {"rto": 6.0}}
    verdict = judge(run(objectives, playback=NO_FAILOVER, canary="+++?++++++++++++++++++++"))
    assert (verdict.value, verdict.exit_code) == ("broken", 1)
    assert verdict.reasons[0].startswith("playback recovered only after the fault was lifted")
    assert verdict.reasons[1].startswith("canary cannot be judged: the probe itself broke once")


def test_one_objective_that_cannot_be_judged_makes_it_unknown() -> None:
    objectives = {"playback": {"rto": 6.0}, "canary": {"availability": 0.9}}
    value, code, reason = first(objectives, playback=FAILOVER, canary="+++            ++++++++++")
    assert (value, code, reason) == ("unknown", 3, "canary made no attempt while the fault was on")


def test_a_probe_that_broke_makes_it_unknown_though_nothing_was_promised_of_it() -> None:
    value, code, reason = first(RTO, playback=FAILOVER, canary="++++++?+++++++++++++++++")
    assert (value, code) == ("unknown", 3)
    assert reason.startswith("canary cannot be judged: the probe itself broke once")


def test_a_system_that_is_not_steady_again_is_broken_whatever_was_promised() -> None:
    objectives = {"canary": {"unaffected": True}}
    stays_bad = "++++" + "-" * 21
    value, code, reason = first(objectives, playback=stays_bad, canary=GOOD)
    assert (value, code) == ("broken", 1)
    assert reason == (
        "playback was not shown to be good again: more than 8.8 s after the fault was lifted,"
        " 8 s allowed; 9 of 9 bad attempts: boom"
    )


def test_without_an_objective_nothing_can_hold() -> None:
    expected = "the experiment has no objective: there is nothing that could hold"
    assert first({}, playback=FAILOVER) == ("unknown", 3, expected)
    nothing = {"playback": {"rto": None, "unaffected": False}}
    assert first(nothing, playback=FAILOVER) == ("unknown", 3, expected)


# --- a run that did not go as planned -----------------------------------------------------

SPOILED: dict[str, tuple[tuple[Change, ...], str]] = {
    "steady state was not met": (
        (but(phases=(("steady", 0.0),), faults=(), pulls=(), stops=("no steady state",)),),
        "no steady state",
    ),
    "cut off before anything was broken": (
        (but(phases=(("steady", 0.0),), faults=(), pulls=(), finished=False),),
        "the run ended before anything was broken",
    ),
    "stopped": (
        (but(stops=("stopped by SIGINT",)),),
        "stopped early: stopped by SIGINT",
    ),
    "cut off": ((but(finished=False),), "the journal ends before the run did"),
    "a fault that failed": (
        (
            but(
                faults=(window(injected=None, error="AccessDenied"),),
                stops=("region_outage failed: AccessDenied",),
            ),
        ),
        "region_outage failed: AccessDenied",
    ),
    "a fault that was not brought about": (
        (but(faults=(window(injected=None),)),),
        "region_outage was not injected",
    ),
    "a fault whose turn never came": (
        (of_faults("region_outage", "slow_dns"),),
        "slow_dns was not injected",
    ),
    "no lever": ((but(pulls=()),), "region_outage pulled no lever"),
    "no lever of one of two faults": (
        (*TWO, but(pulls=(pull(),))),
        "slow_dns pulled no lever",
    ),
    "no change": (
        (but(pulls=(pull(prior="drop"), pull(pull=1, prior=1, value=1))),),
        "region_outage changed nothing: every lever was already where it pulled it",
    ),
    "a lever that never came to its value": (
        (but(pulls=(pull(done=None),)),),
        "reachability us-east-1 was never seen to be drop",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), SPOILED.values(), ids=SPOILED)
@pytest.mark.parametrize("seen", [FAILOVER, NEVER])
def test_a_run_that_did_not_go_as_planned_is_unknown_whatever_it_measured(
    changes: tuple[Change, ...], reason: str, seen: str
) -> None:
    assert first(RTO, *changes, playback=seen) == ("unknown", 3, reason)
    # Nor does any single promise look proven, to whoever reads that one alone.
    assert "held" not in {r.value for r in judge(run(RTO, *changes, playback=seen)).results}


def test_a_reason_is_told_once() -> None:
    changes, reason = SPOILED["a fault that failed"]
    reasons = judge(run(RTO, *changes, playback=FAILOVER)).reasons
    assert sum(reason in told for told in reasons) == 1


def test_some_levers_may_have_been_there_already() -> None:
    pulls = (pull(prior="drop", value="drop"), pull(pull=1))
    assert first(RTO, but(pulls=pulls), playback=FAILOVER)[0] == "held"


UNNOTICED = "nothing noticed the fault: no attempt failed and no request met it"


def test_a_fault_that_nobody_noticed_proves_nothing() -> None:
    assert first(RTO, playback=GOOD) == ("unknown", 3, UNNOTICED)
    both = {"playback": {"rto": 6.0}, "canary": {"unaffected": True}}
    assert first(both, playback=GOOD, canary=GOOD) == ("unknown", 3, UNNOTICED)
    nobody_counts = but(pulls=(pull(noticed=None),))
    assert first(RTO, nobody_counts, playback=GOOD) == ("unknown", 3, UNNOTICED)


def test_failures_before_the_fault_and_after_it_are_no_notice() -> None:
    assert first(RTO, playback="+-+++++++++++++++-++++++") == ("unknown", 3, UNNOTICED)


def test_a_request_that_met_the_fault_is_notice_enough() -> None:
    assert first(RTO, NOTICED, playback=GOOD)[0] == "held"
    pulls = but(pulls=(pull(noticed=None), pull(pull=1, noticed=1), pull(pull=2, noticed=0)))
    assert first(RTO, pulls, playback=GOOD)[0] == "held"


def test_a_failure_of_any_probe_is_notice_enough() -> None:
    assert first(RTO, playback=GOOD, canary=FAILOVER)[0] == "held"


def test_where_only_unaffectedness_was_promised_nobody_needs_to_notice() -> None:
    assert first(UNAFFECTED, playback=GOOD)[0] == "held"


# --- rollback -----------------------------------------------------------------------------

UNDONE = {
    "open": (
        pull(outcome="open"),
        "reachability us-east-1 was not put back",
    ),
    "failed": (
        pull(outcome="failed", error="timed out"),
        "reachability us-east-1 could not be put back: timed out",
    ),
    "conflict": (
        pull(outcome="conflict", found="refuse"),
        (
            "somebody else changed reachability us-east-1 to refuse (it was open,"
            " the fault made it drop), so it was left alone: put it right"
        ),
    ),
}


@pytest.mark.parametrize(("undone", "reason"), UNDONE.values(), ids=UNDONE)
@pytest.mark.parametrize("seen", [FAILOVER, NO_FAILOVER])
def test_an_incomplete_rollback_wins_over_all(undone: Pull, reason: str, seen: str) -> None:
    """What the system did with a lever still pulled is no evidence either."""
    assert first(RTO, but(pulls=(undone,)), playback=seen) == (
        *("unknown", 4),
        f"rollback incomplete: {reason}; then run: chaos rollback r1",
    )


def test_it_wins_over_a_spoiled_run_too() -> None:
    changes = but(pulls=(pull(outcome="open"),), finished=False)
    assert first(RTO, changes, playback=FAILOVER)[:2] == ("unknown", 4)


def test_what_is_kept_gone_or_already_there_needs_no_rollback() -> None:
    pulls = tuple(pull(pull=n, outcome=o) for n, o in enumerate(("kept", "gone", "already")))
    assert judge(run(RTO, but(pulls=pulls), playback=FAILOVER)).exit_code != 4


# --- when judging itself breaks -----------------------------------------------------------


def test_a_defect_in_judging_is_an_unknown_verdict() -> None:
    broken = run({"nobody": {"rto": 6.0}}, playback=FAILOVER)
    verdict = judge_safely(broken)
    assert (verdict.value, verdict.exit_code) == ("unknown", 3)
    assert verdict.reasons == ("the run could not be judged: KeyError: 'nobody'",)
    assert json.loads(json.dumps(verdict.to_json(), allow_nan=False))["value"] == "unknown"


def test_a_defect_in_judging_does_not_hide_an_incomplete_rollback() -> None:
    broken = run({"nobody": {"rto": 6.0}}, but(pulls=(pull(outcome="open"),)), playback=FAILOVER)
    assert judge_safely(broken).exit_code == 4


def test_otherwise_judging_safely_is_judging() -> None:
    history = run(RTO, playback=FAILOVER)
    assert judge_safely(history) == judge(history)
