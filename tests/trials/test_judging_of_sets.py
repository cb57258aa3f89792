"""What trials say together: the rules for each promise, and for the set."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from histories import FAILOVER, GOOD, NEVER, NO_FAILOVER, NOTICED, but, made_header, read, run

from chaos.history import History
from chaos.statistics import confidence_of
from chaos.trials import judge, told
from chaos.trials.judging import Judged, SetVerdict
from chaos.trials.promises import Found, Promise, TrialResult, told_by
from chaos.verdict import Verdict
from probes.outages import Interval

RTO = {"playback": {"rto": 6.0}}
P90 = {"playback": {"rto": {"p50": 2.5, "p90": 6.0, "confidence": 0.95}}}
SIGNS = {"+": FAILOVER, "-": NO_FAILOVER}
UNNOTICED = GOOD  # no attempt fails: the fault did not bite


def trial(n: int, kind: str, objectives: dict[str, Any] = RTO) -> TrialResult:
    """+ recovers in time, - only when the fault is lifted, ? the run did not go as planned."""
    changes = [but(stops=("stopped by SIGTERM",))] if kind == "?" else []
    return told_by(run(objectives, *changes, playback=SIGNS.get(kind, FAILOVER)), n)


def the_set(kinds: str, objectives: dict[str, Any] = RTO, of: int = 0) -> SetVerdict:
    trials = [trial(n, kind, objectives) for n, kind in enumerate(kinds, start=1)]
    return judge(trials, of or len(kinds))


def one(verdict: SetVerdict, percentile: str = "", objective: str = "rto") -> Judged:
    [found] = [
        j
        for j in verdict.judged
        if (j.promise.objective, j.promise.percentile) == (objective, percentile)
    ]
    return found


@pytest.mark.parametrize(
    ("kinds", "of", "value"),
    [
        ("+++++", 5, "held"),
        ("+-+++", 5, "broken"),
        ("-", 5, "broken"),
        ("+?+++", 5, "unknown"),  # it is not shown that it was kept each time
        ("++++", 5, "unknown"),  # nor that it would have been
        ("?????", 5, "unknown"),
        ("", 5, "unknown"),
    ],
)
def test_a_promise_about_each_run(kinds: str, of: int, value: str) -> None:
    assert the_set(kinds, of=of).value == value


@pytest.mark.parametrize(
    ("kinds", "of", "value"),
    [
        ("+" * 29, 29, "held"),
        ("+" * 28 + "-", 29, "unknown"),  # too few to allow a failure, and no proof against it
        ("+" * 28 + "?", 29, "unknown"),
        ("+" * 45 + "-", 46, "held"),
        ("+" * 45 + "?", 46, "held"),  # what cannot tell counts as if it had not been kept
        ("+" * 44 + "-?", 46, "unknown"),
        ("+" * 29, 46, "unknown"),  # who ends when it looks well has shown nothing
        ("+" * 45, 46, "held"),  # whatever the last one would have given
        ("+" * 23 + "-" * 6, 29, "unknown"),
        ("+" * 22 + "-" * 7, 29, "broken"),  # 7 or more of 29 have a chance of 2.6 % at p90
        ("-" * 7, 29, "broken"),  # even if all the rest passed
        ("?" * 29, 29, "unknown"),
    ],
)
def test_a_promise_about_many_runs(kinds: str, of: int, value: str) -> None:
    found = one(the_set(kinds, P90, of), "p90")
    assert found.value == value
    if value == "held":
        assert found.confidence == 0.95 <= confidence_of(found.passed, of, 0.9)


def test_each_percentile_has_a_limit_of_its_own() -> None:
    verdict = the_set("+" * 29, P90)
    assert one(verdict, "p90").value == "held"
    assert one(verdict, "p50").value == "broken"  # back after 3 to 4.25 s: 2.5 s were promised
    assert verdict.value == "broken"
    assert all(t.outcome == "passed" for t in verdict.trials)  # by the longest limit


def test_a_verdict_is_never_better_with_worse_trials() -> None:
    """In all sets of 2 and of 4: a doubt for a pass, or a failure for a doubt, improves nothing."""
    spread = {"playback": {"rto": {"p50": 6.0, "confidence": 0.75}}}
    order = {"broken": 0, "unknown": 1, "held": 2}
    kinds = {kind: trial(1, kind, spread) for kind in "+?-"}

    def value(kinds_of: tuple[str, ...]) -> int:
        trials = [replace(kinds[kind], n=n) for n, kind in enumerate(kinds_of, start=1)]
        return order[one(judge(trials, len(trials)), "p50").value]

    worse = {"+": "?", "?": "-"}
    for length in (2, 4):
        for course in product("+?-", repeat=length):
            for at, kind in enumerate(course):
                if kind in worse:
                    lower = (*course[:at], worse[kind], *course[at + 1 :])
                    assert value(lower) <= value(course), (course, lower)


def test_how_often_a_set_says_held_of_a_system_that_is_just_not_good_enough() -> None:
    """With 95 % confidence: of 100 such systems at most 5 pass, whatever the other trials are."""
    rng, sets, held = random.Random(90), 1000, 0
    wanted = {"playback": {"rto": {"p90": 6.0, "confidence": 0.95}}}
    kinds = {kind: trial(1, kind, wanted).found for kind in "+-?"}
    blank = trial(1, "+", wanted)
    for _ in range(sets):
        # Just below 90 % keep it; some of the others cannot tell.
        drawn = ["+" if rng.random() < 0.8999 else rng.choice("-?") for _ in range(29)]
        trials = [replace(blank, n=n, found=kinds[k]) for n, k in enumerate(drawn, start=1)]
        held += one(judge(trials, 29), "p90").value == "held"
    assert held / sets <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / sets)


def test_a_system_that_stays_down_breaks_the_set_whatever_the_percentiles_allow() -> None:
    def soon(history: History) -> History:
        experiment = {**history.experiment, "recover_within": 5.0}
        return made_header(experiment=experiment)(history)

    good = told_by(run(P90, soon, playback=FAILOVER), 1)
    down = told_by(run(P90, soon, playback=NEVER), 46)
    verdict = judge([*(replace(good, n=n) for n in range(1, 46)), down], 46)
    assert one(verdict, "p90").value == "held"
    assert one(verdict, "", "recover_within").value == "broken"
    assert verdict.value == "broken"


def test_what_a_run_measured_that_did_not_go_as_planned_is_no_time() -> None:
    good, spoiled, healed = trial(1, "+"), trial(2, "?"), trial(3, "-")
    times = [
        found.time
        for t in (good, spoiled, healed)
        for p, found in t.found.items()
        if p.objective == "rto"
    ]
    assert times == [Interval(3.0, 4.25), Interval(0.0, math.inf), Interval(11.0, math.inf)]
    unnoticed = told_by(run(RTO, playback=UNNOTICED), 4)
    assert {found.outcome for found in unnoticed.found.values()} == {"unknown"}


def held(time: Interval) -> Found:
    return Found(outcome="passed", time=time, measured=time, reason="")


def promise_of(times: list[tuple[float, float]], of: int) -> Judged:
    promise = Promise(probe="playback", objective="rto", limit=60.0)
    verdict = Verdict(value="held", exit_code=0, reasons=())
    trials = [
        TrialResult(
            n=n,
            run=f"r{n}",
            verdict=verdict,
            found={promise: held(Interval(*time))},
        )
        for n, time in enumerate(times, start=1)
    ]
    return judge(trials, of).judged[0]


def test_percentiles_are_intervals_of_these_trials_and_of_all_such_outages() -> None:
    found = promise_of([(float(n), n + 0.5) for n in range(1, 30)], 29)
    of = {p.name: p for p in found.percentiles}
    assert of["p50"].seen == Interval(15.0, 15.5)
    assert of["p90"].seen == Interval(27.0, 27.5)
    assert of["p90"].shown == Interval(23.0, 29.5)  # the 23rd and the last of 29
    assert of["p99"].shown.high == math.inf


def test_trials_that_were_not_made_might_have_been_the_longest_or_the_shortest() -> None:
    found = promise_of([(float(n), n + 0.5) for n in range(1, 30)], 40)
    of = {p.name: p for p in found.percentiles}
    assert of["p90"].seen == Interval(27.0, 27.5)
    assert of["p90"].shown == Interval(22.0, math.inf)  # the 33rd of 40, of which 11 took 0 s


def test_the_statement_says_no_more_than_is_shown() -> None:
    verdict = the_set("+" * 29)
    assert told.statement(one(verdict)) == (
        "with 95 % confidence at least 90.1 % of such outages recover within 6 s"
    )
    assert told.statement(one(the_set("+++-"))) == (
        "with 95 % confidence at least 24.8 %, and with as much at most 98.8 %, of such outages"
        " recover within 6 s"
    )
    assert told.statement(one(the_set("--"))).startswith("with 95 % confidence at most 77.7 %")


def test_the_reasons_of_promises_about_many_runs() -> None:
    def first(kinds: str) -> str:
        verdict = the_set(kinds, {"playback": {"rto": {"p90": 6.0, "confidence": 0.95}}})
        return told.reasons(verdict)[0]

    assert first("+" * 29) == (
        "playback: p90 of RTO ≤ 6 s: 29 of 29 trials kept it; that shows it with 95 % confidence"
    )
    assert first("+" * 28 + "?") == (
        "playback: p90 of RTO ≤ 6 s: 28 of 29 trials kept it, 1 cannot tell; to show it with 95 %"
        " confidence takes 29 trials without a failure"
    )
    assert first("+" * 28 + "-").endswith(
        "1 broke it; to show it with 95 % confidence takes 46 trials with 1 failed"
    )
    assert "that shows with 95 % confidence that it is not so: trial 23: playback" in first(
        "+" * 22 + "-" * 7
    )


def strips(lines: Iterator[str]) -> list[str]:
    return [line for line in lines if "│" in line]


def test_the_terminal_shows_a_strip_for_each_trial() -> None:
    block = list(told.block(the_set("+-?"), "a drill", 80))
    assert block[1:3] == ["✗ BROKEN, flaky: 1 of 3 trials held", "a drill"]
    shown = strips(iter(block))
    assert [line.split()[:2] for line in shown] == [["✓", "1"], ["✗", "2"], ["?", "3"]]
    assert "▒" in shown[1]  # nothing bounds it above
    assert "█" in shown[0]
    assert block[-1] == "exit code  1: broken"
    assert all(len(line) <= 80 for line in block)


def test_what_broke_a_promise_though_its_time_keeps_it_is_no_good_time() -> None:
    """A write that was made under the fault, and lost, raises no RPO, and no RPO excuses it."""
    all_but_7 = tuple(n for n in range(24) if n not in (4, 5, 6, 7))
    lost = but(ledgers=(read("failover", 0, 1, 2, 3), read("end", *all_but_7)))
    told = told_by(run({"history": {"rpo": 5.0}}, lost, NOTICED, history=FAILOVER), 1)
    [found] = [found for p, found in told.found.items() if p.objective == "rpo"]
    assert (found.outcome, found.measured) == ("failed", Interval(0, 0))
    assert found.time == Interval(0, math.inf)
