"""What a run costs and how long it takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes import experiment

from chaos.levers.fis import RUNNING, FisExperiment
from chaos.plan.cost import ACCOUNTS, NEGLIGIBLE, Cost, cost
from chaos.plan.time import ends_after, times
from chaos.plan.undo import undone
from chaos.safety import Planned
from chaos.testing import FakeEnvironment

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def fis(*durations: str, accounts: int = 0) -> Planned:
    actions = {
        f"a{n}": {"actionId": "aws:ebs:pause-volume-io", "parameters": {"duration": duration}}
        for n, duration in enumerate(durations)
    }
    others = [{"id": "1", "role": "r", "account": "a"}] * accounts
    return pull(
        "fis_experiment", RUNNING, definition={"actions": actions}, accounts=others, region="x"
    )


def pull(kind: str, value: object, **fields: object) -> Planned:
    return Planned(
        fault=0,
        lever={"kind": kind, **fields},
        prior=None,
        value=value,
        irreversible=False,
    )


def priced(partition: str, *pulls: Planned) -> Cost:
    return asyncio.run(cost(pulls, FakeEnvironment({}), partition))


def test_fis_is_paid_by_the_begun_minute_of_each_action() -> None:
    assert FisExperiment(region="x", definition={"actions": {}}).kind == "fis_experiment"
    found = priced("aws", fis("PT90S", "PT5M"))
    assert (found.dollars, found.action_minutes) == (0.7, 7.0)
    assert found.notes == ("7 action-minutes of FIS at $0.10", ACCOUNTS, NEGLIGIBLE)
    assert priced("aws-us-gov", fis("PT5M")).dollars == 0.6
    assert priced("aws", fis("PT1M")).notes[0] == "1 action-minute of FIS at $0.10"


@pytest.mark.parametrize(
    ("partition", "pulled", "unknown"),
    [
        ("aws", fis("PT5M", accounts=1), "the action-minutes of FIS are not known before"),
        ("aws-cn", fis("PT5M"), "FIS's price in aws-cn is not known here"),
    ],
)
def test_what_is_not_known_is_not_guessed(partition: str, pulled: Planned, unknown: str) -> None:
    found = priced(partition, pulled)
    assert found.dollars is None
    assert found.notes == (unknown, ACCOUNTS)


def test_calls_cost_nothing_worth_counting() -> None:
    found = priced("aws", pull("subnet_acl", "no traffic", region="x", subnet="subnet-1"))
    assert (found.dollars, found.notes) == (0.0, (NEGLIGIBLE,))


def test_it_takes_its_phases() -> None:
    pulls = [pull("subnet_acl", "", region="x", subnet=s) for s in "ab"]
    pulls.append(pull("endpoint_access", "", region="x", endpoint="c"))
    found = times(experiment(), pulls, stale_s=10.0)
    assert (found.steady, found.faults) == (5.0, 3.0 + 3.0)
    assert found.rollback == 20.0  # levers of a kind go back side by side
    assert found.recovery == 5.0 + 1.5
    assert found.total == found.steady + found.faults + found.rollback + found.recovery


def test_when_it_ends_by_itself() -> None:
    one = pull("subnet_acl", "", region="x", subnet="a")
    assert ends_after(one, NOW) is None
    assert ends_after(replace(one, expires=NOW + timedelta(minutes=3)), NOW) == 180.0
    assert ends_after(replace(one, expires=NOW - timedelta(minutes=3)), NOW) == 0.0


def test_a_lever_that_cannot_tell_makes_the_way_back_unknown() -> None:
    assert undone([pull("api_rule", None, id="x")]) is None
