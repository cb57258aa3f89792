"""The numbers behind a verdict, verdict.json, and a verdict from a bare journal."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from histories import (
    FAILOVER,
    GOOD,
    INJECTED,
    LIFTED,
    LIFTING,
    NEVER,
    ONE_WAY,
    RECOVER,
    TWO,
    but,
    of_faults,
    pull,
    run,
    window,
)

from chaos.history import fold
from chaos.report import words
from chaos.verdict import VERSION, Times, judge
from probes.outages import Interval
from probes.probe import Sample

RTO = {"playback": {"rto": 6.0}}


def test_the_moments_of_a_run() -> None:
    assert judge(run(RTO, *TWO, playback=FAILOVER)).times == Times(
        injected=INJECTED,
        complete=3.5,
        first_lifting=9.0,
        lifting=LIFTING,
        lifted=LIFTED,
        over=LIFTING,
        released=LIFTED,
    )
    assert judge(run(RTO, *ONE_WAY, playback=FAILOVER)).times == Times(
        injected=INJECTED,
        complete=3.5,
        first_lifting=None,
        lifting=None,
        lifted=None,
        over=LIFTED,
        released=RECOVER,
    )


@pytest.mark.parametrize(
    ("outcome", "back_after"),
    [
        ("restored", LIFTED - 10),
        ("already", LIFTED - 10),
        ("kept", None),  # a one-way door is never back
        ("gone", None),  # nor is what went with its environment
        ("conflict", None),
        ("failed", None),
    ],
)
def test_only_what_is_back_is_told_to_be_back(outcome: str, back_after: float | None) -> None:
    pulls = (pull(), pull(pull=1, outcome=outcome, irreversible=outcome == "kept"))
    history = run(RTO, but(stops=("enough",), asked=10.0, pulls=pulls), playback=GOOD)
    assert history.back_after == back_after
    assert ("everything back" in words.stopped(history)) is (back_after is not None)


def test_what_is_answered_while_levers_are_moved_for_long_does_not_flatter() -> None:
    """Good for 5 s while they were, down for the 7 s that the whole of the fault was on."""
    slow = but(faults=(window(injected=8.0),))
    m = judge(run(RTO, slow, playback="++++++++-------+++++++++")).probes["playback"]
    assert m.availability == 0
    m = judge(run(RTO, slow, playback="+++-----++++++++++++++++")).probes["playback"]
    assert m.availability == 7 / 12
    m = judge(run(RTO, but(faults=(window(injected=15.0),)), playback=GOOD)).probes["playback"]
    assert m.availability == 1


def test_the_numbers_of_a_probe() -> None:
    m = judge(run(RTO, playback="-+++---+?+++++++++++++++")).probes["playback"]
    assert (m.attempts, m.good, m.bad, m.crashed, m.crash) == (24, 19, 4, 1, "boom")
    assert (m.bad_since, len(m.outages)) == (3, 2)
    assert m.availability == 8 / 11
    assert m.longest_gap == 1
    assert [m.latency[part].count for part in ("before", "during", "after")] == [2, 8, 9]


def test_time_down_since_the_injection_goes_on_to_the_end_of_the_last_attempt() -> None:
    m = judge(run(RTO, playback=NEVER)).probes["playback"]
    assert m.downtime == Interval(LIFTING - 4.25, LIFTING - INJECTED)
    assert m.down_since == Interval(23.25 - 4.25, 23.25 - INJECTED)


def test_an_attempt_under_way_at_the_injection_belongs_to_the_fault() -> None:
    def with_attempt(start: float, end: float) -> int:
        extra = Sample(probe="playback", n=99, due=start, start=start, end=end, ok=False)
        history = run(RTO, playback=GOOD)
        seen = {"playback": (extra, *history.samples["playback"])}
        return judge(replace(history, samples=seen)).probes["playback"].bad_since

    assert with_attempt(2.5, 3.5) == with_attempt(3.0, 3.0) == with_attempt(3.0, 4.0) == 1
    assert with_attempt(2.5, 3.0) == 0


def test_a_long_last_attempt_is_no_gap() -> None:
    last = Sample(probe="playback", n=24, due=24.0, start=24.0, end=60.0, ok=False)
    history = run(RTO, playback=GOOD)
    seen = {"playback": (*history.samples["playback"], last)}
    assert judge(replace(history, samples=seen)).probes["playback"].longest_gap == 1


def test_a_lifted_fault_heals_while_one_that_nothing_lifts_goes_on() -> None:
    faults = (window(), window(fault=1, kind="termination", lifting=None, ended=None))
    changes = (of_faults("region_outage", "termination"), but(faults=faults))
    m = judge(run(RTO, *changes, playback="++++-------------+++++++")).probes["playback"]
    assert (m.heals, m.steady) == (Interval(0.75, 2), Interval(0.5, 1.75))


def test_verdict_json_has_seconds_and_null_for_what_nothing_bounds() -> None:
    verdict = judge(run(RTO, playback=NEVER))
    written = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert written["version"] == VERSION
    assert (written["run"], written["experiment"], written["speed"]) == ("r1", "region-outage", 8)
    assert (written["value"], written["exit_code"]) == ("broken", 1)
    assert written["results"][0] == {
        "probe": "playback",
        "objective": "rto",
        "wanted": 6.0,
        "measured": {"low": 20.0, "high": None},
        "value": "broken",
        "how": "never",
        "reason": "playback did not recover: more than 20 s, 6 s allowed;"
        " 10 of the last 10 bad attempts: boom",
        "spread": None,
    }
    assert written["probes"]["playback"]["recovery"]["kind"] == "never"
    assert written["times"]["injected"] == INJECTED
    assert written["pulls"][0]["outcome"] == "restored"
    assert written["faults"][0]["kind"] == "region_outage"


def test_a_verdict_is_computed_from_a_journal_alone() -> None:
    """By events as the run writes them, without the kinds of the experiment."""
    probe = {"kind": "of another company", "every": 1.0, "timeout": 1.5, "confirm": 3}
    header = {
        "event": "run",
        "v": 1,
        "run": "r1",
        "wall": "",
        "tool": "",
        "speed": 1.0,
        "environment": {"kind": "aws"},
        "fidelity": ["real"],
        "experiment": {
            "name": "x",
            "probes": {"playback": probe},
            "faults": [{"kind": "theirs"}],
            "objectives": {"playback": {"rto": 6.0, "rpo": None, "unaffected": False}},
            "recover_within": 8.0,
        },
    }
    events = [
        {"t": 2.75, "event": "phase", "phase": "inject"},
        {"t": 3.0, "event": "fault", "fault": 0, "kind": "theirs", "state": "injecting"},
        {
            "t": 3.0,
            "event": "pull",
            "pull": 0,
            "fault": 0,
            "lever": {"kind": "x"},
            "prior": 0,
            "value": 1,
            "irreversible": False,
        },
        {"t": 3.25, "event": "pulled", "pull": 0, "read": 1},
        {"t": 3.5, "event": "fault", "fault": 0, "kind": "theirs", "state": "injected"},
        {"t": 15.0, "event": "fault", "fault": 0, "kind": "theirs", "state": "lifting"},
        {"t": 15.2, "event": "restored", "pull": 0, "outcome": "restored", "found": 0, "error": ""},
        {"t": 15.25, "event": "fault", "fault": 0, "kind": "theirs", "state": "lifted"},
        {"t": 15.5, "event": "phase", "phase": "recover"},
        {"t": 24.0, "event": "end"},
    ]
    attempts = [
        {
            "t": n + 0.25,
            "event": "sample",
            "probe": "playback",
            "attempt": n,
            "due": n,
            "start": n,
            "end": n + 0.25,
            "ok": sign == "+",
            "error": "",
            "crashed": False,
            "phases": {},
            "detail": {},
        }
        for n, sign in enumerate(FAILOVER)
    ]
    verdict = judge(fold([{"n": 0, "t": 0.0, **header}, *attempts, *events]))
    assert (verdict.value, verdict.exit_code) == ("held", 0)
    assert verdict.reasons[0] == "playback was back after 3 s to 4.2 s, 6 s allowed"
