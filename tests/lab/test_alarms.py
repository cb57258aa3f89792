"""Alarms are evaluated as CloudWatch does it, from what the balancers publish; in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from chaos import schema
from chaos.lab.alarms import Alarms, judged
from chaos.lab.balancer import Balancer
from chaos.lab.declaration import Lab
from chaos.loops import run_virtual

SYSTEM = Path(__file__).parents[2] / "chaos" / "lab" / "systems" / "streaming-s3.yaml"
LAB = schema.load(SYSTEM, Lab)
EAST, WEST = "us-east-1", "us-west-2"

CASES: list[tuple[dict[str, Any], list[float | None], str | None]] = [
    ({}, [1.0], "ALARM"),
    ({}, [0.0], "OK"),
    ({"EvaluationPeriods": 2}, [1.0, 0.0], "OK"),
    ({"EvaluationPeriods": 2}, [1.0, 1.0], "ALARM"),
    ({"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, [1.0, 0.0, 1.0], "ALARM"),
    ({"EvaluationPeriods": 2}, [None, 1.0], "OK"),
    ({"EvaluationPeriods": 2, "TreatMissingData": "breaching"}, [None, 1.0], "ALARM"),
    ({"EvaluationPeriods": 2, "TreatMissingData": "breaching"}, [None, None], "ALARM"),
    ({"TreatMissingData": "notBreaching"}, [None], "OK"),
    ({"TreatMissingData": "missing"}, [None], "INSUFFICIENT_DATA"),
    ({"TreatMissingData": "ignore"}, [None], None),
    ({"ComparisonOperator": "LessThanThreshold", "Threshold": 2.0}, [1.0], "ALARM"),
    ({"ComparisonOperator": "LessThanOrEqualToThreshold", "Threshold": 1.0}, [1.0], "ALARM"),
    ({"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 1.0}, [1.0], "ALARM"),
]


@pytest.mark.parametrize(("given", "values", "state"), CASES, ids=lambda c: str(c)[:60])
def test_the_values_of_its_periods_decide(
    given: dict[str, Any], values: list[float | None], state: str | None
) -> None:
    alarm = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.0, "EvaluationPeriods": 1}
    assert judged(alarm | given, values) == state


class Targets:
    """A balancer as far as it is asked here."""

    service = "playback"

    def __init__(self, region: str) -> None:
        self.region = region
        self.healthy = {"127.1.1.10": True, "127.1.2.10": True}

    def describe(self) -> dict[str, Any]:
        return {"targets": self.healthy}


class FakeCloudWatch:
    """One alarm; what is published is aged by the loop's clock, as if it were the wall's."""

    def __init__(self, **alarm: Any) -> None:
        self.alarm: dict[str, Any] = {
            "AlarmName": "unhealthy-hosts",
            "Namespace": "AWS/NetworkELB",
            "MetricName": "UnHealthyHostCount",
            "Statistic": "Maximum",
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0.0,
            "Period": 10,
            "EvaluationPeriods": 1,
            "StateValue": "OK",
        } | alarm
        self.published: list[tuple[float, str, str, float]] = []
        self.evaluated: list[float] = []
        self.set: list[tuple[float, str]] = []

    async def call(self, service: str, region: str, operation: str, /, **params: Any) -> Any:
        assert service == "cloudwatch"
        return getattr(self, f"_{operation}")(region, **params)

    def _put_metric_data(self, region: str, **params: Any) -> None:
        now = asyncio.get_running_loop().time()
        for datum in params["MetricData"]:
            assert datum["Dimensions"] == [{"Name": "LoadBalancer", "Value": "playback"}]
            self.published.append((now, region, datum["MetricName"], datum["Value"]))

    def _describe_alarms(self, region: str) -> dict[str, Any]:
        return {"MetricAlarms": [self.alarm] if region == EAST else []}

    def _get_metric_statistics(self, region: str, **params: Any) -> dict[str, Any]:
        now, wall = asyncio.get_running_loop().time(), datetime.now(UTC)
        self.evaluated.append(now)
        found = [
            {
                "Timestamp": wall - timedelta(seconds=now - at),
                **dict.fromkeys(("Sum", "Average", "Minimum", "Maximum"), value),
                "SampleCount": 1.0,
            }
            for at, where, name, value in self.published
            if (where, name) == (region, params["MetricName"])
        ]
        return {"Datapoints": found}

    def _set_alarm_state(self, region: str, **params: Any) -> None:
        assert (region, params["AlarmName"]) == (EAST, "unhealthy-hosts")
        self.set.append((asyncio.get_running_loop().time(), params["StateValue"]))
        self.alarm["StateValue"] = params["StateValue"]


def played(fake: FakeCloudWatch, *, evaluates: bool = True) -> None:
    """A target in the east fails from second 20 to second 60 of 100."""

    async def play() -> None:
        east = Targets(EAST)
        balancers = cast("list[Balancer]", [east, Targets(WEST)])
        alarms = Alarms(LAB, fake.call, balancers, evaluates=evaluates)
        alarms.start()
        await asyncio.sleep(20.5)
        east.healthy["127.1.1.10"] = False
        await asyncio.sleep(40)
        east.healthy["127.1.1.10"] = True
        await asyncio.sleep(40)
        await alarms.stop()

    run_virtual(play())


@pytest.mark.parametrize("statistic", ["Maximum", "Average", "Sum"])
def test_it_rings_soon_after_the_fault_and_stops_when_it_is_over(statistic: str) -> None:
    fake = FakeCloudWatch(Statistic=statistic)
    played(fake)
    (rang, first), (stopped, second) = fake.set
    assert (first, second) == ("ALARM", "OK")
    assert 20 < rang <= 36  # a value of the metric, a period of the alarm
    assert 60 < stopped <= 81
    assert {region for _, region, _, _ in fake.published} == {EAST}  # nobody asks in the west


def test_it_is_evaluated_once_in_each_of_its_periods() -> None:
    fake = FakeCloudWatch(Period=30)
    played(fake)
    assert len(fake.evaluated) == 4


def test_an_alarm_on_what_nobody_publishes_never_rings() -> None:
    fake = FakeCloudWatch(MetricName="UnhealthyHosts", TreatMissingData="notBreaching")
    played(fake)
    assert fake.set == []


def test_where_alarms_are_evaluated_by_others_only_metrics_are_published() -> None:
    fake = FakeCloudWatch()
    played(fake, evaluates=False)
    assert fake.evaluated == []
    assert len(fake.published) > 10
