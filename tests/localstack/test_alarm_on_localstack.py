"""The probe of an alarm against CloudWatch as LocalStack evaluates it: it rings, and it clears."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from chaos.environments.calls import AwsCalls
from chaos.loops import run_at
from probes.cloudwatch_alarm import CloudwatchAlarm
from probes.detection import detection
from probes.net import Net
from probes.probe import Sample
from probes.schedule import run_probe

EAST = "us-east-1"
METRIC = {"Namespace": "Drill", "MetricName": "Broken"}
WITHIN_S = 240


@pytest.fixture
def cloudwatch(localstack: str) -> Iterator[AwsCalls]:
    calls = AwsCalls(localstack, key=("lab", "lab"), timeout_s=30)
    calls.call_now(
        "cloudwatch",
        EAST,
        "put_metric_alarm",
        AlarmName="probe-broken",
        **METRIC,
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    yield calls
    calls.call_now("cloudwatch", EAST, "delete_alarms", AlarmNames=["probe-broken"])
    calls.close()


def test_it_is_seen_to_ring_once_it_is_evaluated(cloudwatch: AwsCalls) -> None:
    """It begins without data, is found silent, and rings some periods after the metric is bad."""
    probe = CloudwatchAlarm(
        kind="cloudwatch_alarm", alarm="probe-broken", region=EAST, every=0.5, timeout=10
    )
    samples: list[Sample] = []
    states: asyncio.Queue[str | None] = asyncio.Queue()

    def emit(sample: Sample) -> None:
        samples.append(sample)
        states.put_nowait(sample.detail.get("state"))

    async def until(state: str) -> None:
        while await states.get() != state:
            pass

    async def main() -> float:
        origin = asyncio.get_running_loop().time()
        net = Net(aws=cloudwatch.call)
        ticking = asyncio.create_task(run_probe("p", probe, net, run="r", origin=origin, emit=emit))
        async with asyncio.timeout(WITHIN_S):
            await until("OK")
            broken = asyncio.get_running_loop().time() - origin
            data = [{"MetricName": METRIC["MetricName"], "Value": 1.0}]
            await cloudwatch.call(
                "cloudwatch", EAST, "put_metric_data", Namespace="Drill", MetricData=data
            )
            await until("ALARM")
            await until("OK")  # the bad value grows old
        ticking.cancel()
        await asyncio.wait([ticking])
        return broken

    broken = run_at(1, main())
    found = detection(samples, injected=broken, until=samples[-1].end)
    assert found.kind == "seen"
    ringing = [s for s in samples if s.detail["detected"]]
    assert all(s.error.startswith("probe-broken is in ALARM: ") for s in ringing)
    assert all(s.ok for s in samples if s.detail["state"] == "OK")
