"""What is kept of a run: its promises, and whether their figures prove anything."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from histories import FAILOVER, GOOD, NEVER, NO_FAILOVER, NOTICED, but, made_header, read, run
from results.past import judged, promise

from chaos import results
from chaos.marks import Mark
from chaos.results import badness
from chaos.verdict import judge, judge_safely
from probes.outages import Interval


def test_a_run_is_kept_with_all_that_tells_it_from_others() -> None:
    history = run(
        {"playback": {"rto": 10.0}},
        made_header(trial={"set": "s1", "n": 3, "of": 5, "seed": 7}),
        playback=FAILOVER,
    )
    found = results.of(history, judge(history))
    assert (found.run, found.experiment, found.place) == ("r1", "region-outage", "embedded")
    assert (found.speed, found.tool, found.value, found.exit_code) == (8.0, "0.1.0", "held", 0)
    assert (found.trial_set, found.trial_n) == ("s1", 3)
    assert found.reason == "playback was back after 3 s to 4.2 s, 10 s allowed"
    assert [(r.objective, r.measured) for r in found.results][:1] == [("rto", Interval(3.0, 4.25))]
    assert found.doubted == frozenset()


def test_what_stands_in_for_aws_is_another_place() -> None:
    emulated = {"kind": "aws", "endpoint": "http://127.0.0.1:5000"}
    real = {"kind": "aws", "endpoint": None}
    places = [
        judged({"playback": {"rto": 10.0}}, made_header(environment=where), playback=FAILOVER).place
        for where in (emulated, real)
    ]
    assert places == ["a stand-in for aws", "aws"]


def test_figures_of_a_run_that_went_wrong_prove_nothing() -> None:
    stopped = judged({"playback": {"rto": 10.0}}, but(stops=("enough",)), playback=FAILOVER)
    assert stopped.doubted == {"playback"}
    assert stopped.results[0].measured is not None


@pytest.mark.parametrize("signs", ["++++---+?+++++++++++++++", "++++---+     +++++++++++"])
def test_figures_of_a_probe_that_broke_or_was_blind_prove_nothing(signs: str) -> None:
    found = judged({"playback": {"rto": 10.0}}, playback=signs, other=GOOD)
    assert found.doubted == {"playback"}


def test_a_run_that_could_not_be_judged_is_kept_without_figures() -> None:
    history = run({"playback": {"rto": 10.0}}, playback=FAILOVER)
    broken = replace(history, header={**history.header, "experiment": {**history.experiment}})
    del broken.experiment["recover_within"]
    found = results.of(broken, judge_safely(broken))
    assert (found.value, found.exit_code, found.results) == ("unknown", 3, ())
    assert found.reason.startswith("the run could not be judged")


def test_more_is_worse_and_what_is_not_back_is_worse_than_any_time() -> None:
    never = Interval(math.inf, math.inf)
    assert badness(promise(3.0, 4.0)) == Interval(3.0, 4.0)
    assert badness(promise(40.0, math.inf)) == never
    assert badness(promise(12.0, 13.0, how="after lifting")) == never
    assert badness(promise(0.75, objective="availability")) == Interval(0.25, 0.25)
    assert badness(promise(None)) is None


@pytest.mark.parametrize("signs", [NEVER, NO_FAILOVER])
def test_a_recovery_that_needed_the_lifting_is_none(signs: str) -> None:
    found = judged({"playback": {"rto": 10.0}}, playback=signs)
    assert badness(found.results[0]) == Interval(math.inf, math.inf)


ALL_BUT_7 = tuple(n for n in range(24) if n not in (4, 5, 6, 7))
SURVIVED = (0, 1, 2, 3)


@pytest.mark.parametrize("wanted", [5.0, {"p90": 5.0, "confidence": 0.95}])
def test_a_write_that_was_lost_under_the_fault_is_worse_than_any_rpo(wanted: object) -> None:
    lost = but(ledgers=(read("failover", *SURVIVED), read("end", *ALL_BUT_7)))
    found = judged({"history": {"rpo": wanted}}, lost, NOTICED, history=FAILOVER).results[0]
    assert (found.value, found.measured) == ("broken", Interval(0, 0))
    assert badness(found) == Interval(math.inf, math.inf)


def test_a_figure_on_which_no_verdict_could_be_built_proves_nothing() -> None:
    unread = but(ledgers=(read("failover", error="timed out"), read("end", *ALL_BUT_7, 7)))
    found = judged({"history": {"rpo": 5.0}}, unread, NOTICED, history=FAILOVER)
    assert found.doubted == frozenset()
    assert (found.results[0].value, found.results[0].measured) == ("unknown", Interval(0, 0))
    assert badness(found.results[0]) is None


def test_a_promise_about_many_runs_is_kept_as_what_this_one_says_of_it() -> None:
    found = judged({"playback": {"rto": {"p50": 1.0, "p90": 10.0, "confidence": 0.95}}},
                   playback=FAILOVER)  # fmt: skip
    assert (found.value, found.results[0].value) == ("unknown", "held")
    assert badness(found.results[0]) == Interval(3.0, 4.25)


def test_what_may_have_recovered_is_not_taken_to_have_never() -> None:
    found = judged({"playback": {"rto": 12.0}}, playback=NO_FAILOVER).results[0]
    assert (found.value, found.how) == ("unknown", "after lifting")
    assert badness(found) == Interval(11.0, math.inf)


def test_a_mark_in_a_run_that_went_wrong_proves_nothing_either() -> None:
    promised = {**run({}, playback=FAILOVER).experiment, "marks": {"decided": 60.0}}
    marked = but(marks=(Mark(what="decided", at=Interval(5.0, 5.5)),))
    found = judged(
        {}, made_header(experiment=promised), marked, but(stops=("enough",)), playback=FAILOVER
    )
    assert "decided" in found.doubted
