"""The probe of a CloudWatch alarm, against moto's server: states that were set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.loops import run_at
from chaos.testing import one_sample
from probes.cloudwatch_alarm import CloudwatchAlarm
from probes.detection import looked
from probes.net import AwsCall, Net
from probes.probe import Sample

EAST = "us-east-1"


@pytest.fixture(scope="module")
def cloudwatch() -> Iterator[AwsCalls]:
    with moto_server() as (host, port):
        calls = AwsCalls(f"http://{host}:{port}", key=("lab", "lab"), timeout_s=30)
        for name in ("errors", "errors-too"):
            calls.call_now(
                "cloudwatch",
                EAST,
                "put_metric_alarm",
                AlarmName=name,
                Namespace="Drill",
                MetricName="Errors",
                Statistic="Sum",
                Period=10,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanOrEqualToThreshold",
            )
        yield calls
        calls.close()


def put(calls: AwsCalls, state: str) -> None:
    calls.call_now(
        "cloudwatch",
        EAST,
        "set_alarm_state",
        AlarmName="errors",
        StateValue=state,
        StateReason="by hand",
    )


def attempted(call: AwsCall, **settings: Any) -> Sample:
    usual = {"kind": "cloudwatch_alarm", "alarm": "errors", "region": EAST, "timeout": 30}
    probe = CloudwatchAlarm.model_validate(usual | settings)
    return run_at(1, one_sample(probe, Net(aws=call)))


def test_an_alarm_that_is_silent_is_good(cloudwatch: AwsCalls) -> None:
    put(cloudwatch, "OK")
    sample = attempted(cloudwatch.call)
    assert sample.ok, sample.error
    assert sample.detail == {"state": "OK", "reason": "by hand", "detected": False}
    assert list(sample.phases) == ["call"]


def test_an_alarm_that_rings_is_bad_and_detects(cloudwatch: AwsCalls) -> None:
    put(cloudwatch, "ALARM")
    sample = attempted(cloudwatch.call)
    assert (sample.ok, sample.error) == (False, "errors is in ALARM: by hand")
    assert sample.detail == {"state": "ALARM", "reason": "by hand", "detected": True}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({}, "errors has too little data to tell: by hand"),
        ({"insufficient_data": "bad"}, "errors has too little data to tell: by hand"),
        ({"insufficient_data": "good"}, ""),
    ],
)
def test_too_little_data_is_no_detection(
    cloudwatch: AwsCalls, option: dict[str, Any], said: str
) -> None:
    put(cloudwatch, "INSUFFICIENT_DATA")
    sample = attempted(cloudwatch.call, **option)
    assert (sample.ok, sample.error) == (not said, said)
    assert sample.detail["detected"] is False


@pytest.mark.parametrize("name", ["error", "Errors", "none"])
def test_an_alarm_that_is_not_there_is_bad_and_says_nothing(
    cloudwatch: AwsCalls, name: str
) -> None:
    sample = attempted(cloudwatch.call, alarm=name)
    assert (sample.ok, sample.crashed) == (False, False)
    assert sample.error == f"there is no alarm {name!r} in us-east-1"
    assert not looked(sample)


def test_no_answer_is_no_detection() -> None:
    calls = AwsCalls("http://127.0.0.1:9", key=("lab", "lab"), timeout_s=5)
    sample = attempted(calls.call)
    calls.close()
    assert sample.error.startswith("cloudwatch describe_alarms in us-east-1 failed: ")
    assert not looked(sample)


def test_a_composite_alarm_is_found_among_its_own() -> None:
    asked: list[dict[str, Any]] = []

    async def call(service: str, region: str, operation: str, /, **params: Any) -> dict[str, Any]:
        asked.append(params)
        return {"CompositeAlarms": [{"AlarmName": "errors", "StateValue": "ALARM"}]}

    sample = attempted(call)
    assert sample.error == "errors is in ALARM"
    assert asked == [
        {"AlarmNames": ["errors"], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"alarm": ""},
        {"alarm": "a" * 256},
        {"alarm": "a\nb"},
        {"region": "us-east-1a"},
        {"insufficient_data": "no"},
        {"dns_cache": "none"},
    ],
)
def test_what_is_no_alarm(settings: dict[str, Any]) -> None:
    usual = {"kind": "cloudwatch_alarm", "alarm": "errors", "region": EAST}
    with pytest.raises(ValidationError):
        CloudwatchAlarm.model_validate(usual | settings)
