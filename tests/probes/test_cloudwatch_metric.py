"""The probe of a CloudWatch metric, against moto's server: values that were put by hand."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import ValidationError
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.loops import run_at
from chaos.testing import one_sample
from probes.cloudwatch import Cloudwatch
from probes.detection import looked
from probes.net import AwsCall, Net
from probes.probe import Sample

EAST = "us-east-1"
USUAL = {
    "kind": "cloudwatch",
    "region": EAST,
    "namespace": "Drill",
    "metric": "Healthy",
    "stat": "Minimum",
    "expect": {"at_least": 1},
    "timeout": 30,
}


@pytest.fixture(scope="module")
def cloudwatch() -> Iterator[AwsCalls]:
    with moto_server() as (host, port):
        calls = AwsCalls(f"http://{host}:{port}", key=("lab", "lab"), timeout_s=30)
        yield calls
        calls.close()


def put(calls: AwsCalls, value: float, *, at: datetime, **one: Any) -> None:
    """One value of a metric."""
    data = {"MetricName": "Healthy", "Value": value, "Timestamp": at} | one
    calls.call_now("cloudwatch", EAST, "put_metric_data", Namespace="Drill", MetricData=[data])


def made(**settings: Any) -> Cloudwatch:
    return Cloudwatch.model_validate(USUAL | settings)


def attempted(call: AwsCall, speed: float = 1, **settings: Any) -> Sample:
    return run_at(speed, one_sample(made(**settings), Net(aws=call)))


def ago(seconds: float) -> datetime:
    """Within the minute that was so long ago."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


def by_zone(zone: str) -> dict[str, Any]:
    return {"Dimensions": [{"Name": "Zone", "Value": zone}]}


def test_the_last_period_that_has_ended_is_judged(cloudwatch: AwsCalls) -> None:
    for zone in ("a", "a2"):
        minute = ago(0).minute
        put(cloudwatch, 0, at=ago(120), **by_zone(zone))
        put(cloudwatch, 2, at=ago(60), **by_zone(zone))
        put(cloudwatch, 0, at=ago(0), **by_zone(zone))  # this period goes on: who knows its minimum
        sample = attempted(cloudwatch.call, dimensions={"Zone": zone})
        if minute == ago(0).minute:
            break
    assert sample.ok, sample.error
    assert sample.detail["value"] == 2
    assert 60 <= sample.detail["age"] < 150
    assert list(sample.phases) == ["call"]
    assert not looked(sample)


def test_a_value_that_is_not_as_expected_is_bad(cloudwatch: AwsCalls) -> None:
    put(cloudwatch, 0.5, at=ago(60), **by_zone("b"))
    sample = attempted(cloudwatch.call, dimensions={"Zone": "b"})
    assert sample.error == "Healthy is 0.5, not at least 1"
    assert sample.detail["value"] == 0.5


def test_with_alert_it_is_what_tells_of_the_fault(cloudwatch: AwsCalls) -> None:
    put(cloudwatch, 0, at=ago(60), **by_zone("c"))
    put(cloudwatch, 1, at=ago(60), **by_zone("d"))
    rings = attempted(cloudwatch.call, dimensions={"Zone": "c"}, alert=True)
    assert (rings.ok, rings.detail["detected"]) == (False, True)
    silent = attempted(cloudwatch.call, dimensions={"Zone": "d"}, alert=True)
    assert (silent.ok, silent.detail["detected"]) == (True, False)
    assert made(alert=True).detects
    assert not made().detects


@pytest.mark.parametrize("alert", [False, True])
def test_an_old_value_proves_nothing(cloudwatch: AwsCalls, alert: bool) -> None:
    put(cloudwatch, 1, at=ago(400), **by_zone("e"))
    old: dict[str, Any] = {"dimensions": {"Zone": "e"}, "alert": alert}
    sample = attempted(cloudwatch.call, **old)
    assert (sample.ok, sample.error) == (False, "Healthy has no value of the last 3 min")
    assert not looked(sample)
    assert attempted(cloudwatch.call, **old, stale_after="10m").ok
    assert attempted(cloudwatch.call, **old, missing="good").ok


def test_a_metric_that_only_counts_errors_may_have_none(cloudwatch: AwsCalls) -> None:
    sample = attempted(cloudwatch.call, metric="None", missing="good")
    assert sample.ok
    assert sample.detail["value"] is None
    assert sample.detail["age"] == pytest.approx(60, abs=1)  # as far back as the last period


def test_in_a_lab_that_runs_faster_a_period_is_as_much_of_its_time(cloudwatch: AwsCalls) -> None:
    put(cloudwatch, 1, at=ago(2), **by_zone("f"))
    settings = {"dimensions": {"Zone": "f"}, "period": "10s", "stale_after": "80s"}

    async def until_it_is_there() -> Sample:
        async with asyncio.timeout(600):
            while True:
                sample = await one_sample(made(**settings), Net(aws=cloudwatch.call))
                if sample.ok:
                    return sample

    sample = run_at(10, until_it_is_there())
    assert 10 <= sample.detail["age"] <= 80


def test_no_answer_is_no_detection() -> None:
    calls = AwsCalls("http://127.0.0.1:9", key=("lab", "lab"), timeout_s=5)
    sample = attempted(calls.call, alert=True)
    calls.close()
    assert sample.error.startswith("cloudwatch get_metric_data in us-east-1 failed: ")
    assert not looked(sample)


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([], "the answer says nothing of the metric"),
        ([{"Id": "asked", "StatusCode": "PartialData"}], "the answer is not whole: PartialData"),
    ],
)
def test_what_is_no_whole_answer_is_bad(results: list[dict[str, Any]], said: str) -> None:
    async def call(*_: str, **__: Any) -> dict[str, Any]:
        return {"MetricDataResults": results}

    sample = attempted(call, missing="good", alert=True)
    assert (sample.ok, sample.error, sample.crashed) == (False, said, False)
    assert not looked(sample)


@pytest.mark.parametrize(("fast", "ok"), [(0, True), (600, False), (-600, False)])
def test_our_clock_may_be_wrong(fast: float, ok: bool) -> None:
    """The value is of the last minute by our clock, which is that much before the service's."""

    async def call(*_: str, **__: Any) -> dict[str, Any]:
        theirs = datetime.now(UTC) - timedelta(seconds=fast)
        result = {"Id": "asked", "Timestamps": [ago(100)], "Values": [1.0]}
        headers = {"date": format_datetime(theirs, usegmt=True)}
        return {"MetricDataResults": [result], "ResponseMetadata": {"HTTPHeaders": headers}}

    assert attempted(call).ok is ok


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"expect": {}}, "expects nothing"),
        ({"stat": "Mean"}, "should match pattern"),
        ({"period": "90s"}, "is no period; take 1s, 5s, 10s, 30s or whole minutes"),
        ({"stale_after": "90s"}, "write stale_after: 120s or more"),
        ({"dimensions": {str(n): "x" for n in range(31)}}, "at most 30 items"),
        ({"region": "us-east-1a"}, "should match pattern"),
        ({"dns_cache": "none"}, "has no meaning for this kind"),
    ],
)
def test_what_is_no_metric(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        made(**settings)
    assert said in str(error.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("alert", [False, True])
def test_what_is_no_number_proves_nothing(value: float, alert: bool) -> None:
    """Nor could a journal hold it, and that would end the run."""

    async def answer(*_: object, **__: object) -> dict[str, Any]:
        result = {"Id": "asked", "StatusCode": "Complete"}
        told = {"Timestamps": [ago(90)], "Values": [value]}
        return {"MetricDataResults": [result | told]}

    sample = attempted(answer, alert=alert, expect={"at_most": 1}, stale_after="3m")
    assert (sample.ok, sample.error) == (False, f"Healthy is {value:g}, which is no number")
    assert not looked(sample)
    json.dumps(sample.detail, allow_nan=False)
