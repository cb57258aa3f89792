"""What would be touched is known, and judged, before anything is."""

from __future__ import annotations

import asyncio

import pytest
from fakes import LookLab, experiment

from chaos import safety
from chaos.errors import InvalidInput
from chaos.testing import small_lab

NOT_THERE = (
    "faults[1]: instance_termination: not among the running instances that match in us-east-1: i-9"
)


def test_a_plan_reads_everything_and_changes_nothing() -> None:
    lab = LookLab(small_lab())
    planned = asyncio.run(safety.plan(experiment(), lab))
    assert [(p.fault, p.lever["kind"], p.prior, p.irreversible) for p in planned] == [
        (0, "replication", "on", False),
        (0, "api_rule", None, False),
        (0, "api_rule", None, False),
        (0, "reachability", "open", False),
        (1, "instance_termination", False, True),
    ]
    assert lab.state == small_lab()
    assert all(call.startswith("describe_") for call, _ in lab.calls)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = experiment(
        faults=[
            {"kind": "region_outage", "region": "eu-west-1", "lasts": 3},
            {"kind": "instance_termination", "region": "us-east-1", "ids": ["i-1", "i-9"]},
        ]
    )
    with pytest.raises(InvalidInput) as caught:
        asyncio.run(safety.plan(wrong, LookLab(small_lab())))
    assert str(caught.value).splitlines() == [
        "faults[0]: region_outage: no region 'eu-west-1' here; there is us-east-1, us-west-2",
        NOT_THERE,
    ]


def test_a_one_way_door_needs_to_be_allowed_by_name() -> None:
    closed = experiment().model_copy(update={"allow_irreversible": []})
    with pytest.raises(InvalidInput, match=r"allow_irreversible: \[instance_termination\]"):
        asyncio.run(safety.plan(closed, LookLab(small_lab())))


def test_an_inert_fault_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        safety.fidelities(experiment(), "moon")
    assert list(caught.value.problems) == [
        "faults[0]: region_outage has no effect in the environment 'moon'",
        "faults[1]: instance_termination has no effect in the environment 'moon'",
    ]
    assert safety.fidelities(experiment(), "embedded") == ["lab", "lab"]


def test_an_alarm_is_not_timed_by_two_clocks() -> None:
    alarm = {"kind": "cloudwatch_alarm", "alarm": "unhealthy-hosts", "region": "us-east-1"}
    watched = experiment(probes={"alarm": alarm}, objectives={"alarm": {"detects_within": 2}})
    with pytest.raises(InvalidInput) as caught:
        safety.keep_one_clock(watched, "localstack", 3.0)
    assert str(caught.value) == (
        "probes.alarm: kind cloudwatch_alarm goes by the clock of localstack, which runs at speed"
        " 1: leave out --speed"
    )
    safety.keep_one_clock(watched, "localstack", 1.0)
    safety.keep_one_clock(watched, "embedded", 3.0)  # there the lab evaluates it
    safety.keep_one_clock(experiment(), "localstack", 3.0)


def test_a_prometheus_has_its_own_clock_in_a_lab_too() -> None:
    given = {"kind": "prometheus", "url": "http://127.0.0.1:9090", "series": "up"}
    alert = given | {"query": "ALERTS", "alert": True}
    watched = experiment(probes={"alert": alert}, objectives={"alert": {"detects_within": 2}})
    with pytest.raises(
        InvalidInput, match="kind prometheus goes by the clock of prometheus, which"
    ):
        safety.keep_one_clock(watched, "embedded", 3.0)
    values = given | {"query": "up", "expect": {"equals": 1}}
    asks = experiment(probes={"values": values}, objectives={"values": {"rto": 2}})
    safety.keep_one_clock(asks, "embedded", 3.0)  # its age tells how old that is


def test_a_percentage_rounds_down_and_too_few_is_nothing() -> None:
    from chaos.faults.instance_termination import picked

    cases = {("all", 3): 3, ("50%", 3): 1, ("30%", 3): 0, ("100%", 4): 4, ("2", 3): 2, ("2", 1): 0}
    assert {case: picked(*case) for case in cases} == cases
