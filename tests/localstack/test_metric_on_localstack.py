"""The probe of a metric against LocalStack's CloudWatch: what is put there is what it judges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.environments.calls import AwsCalls
from chaos.loops import run_at
from chaos.testing import one_sample
from probes.cloudwatch import Cloudwatch
from probes.net import Net
from probes.probe import Sample

EAST = "us-east-1"


def attempted(calls: AwsCalls, check: str, **settings: Any) -> Sample:
    given = {
        "kind": "cloudwatch",
        "region": EAST,
        "namespace": "AWS/Drill",
        "metric": "HealthCheckStatus",
        "dimensions": {"HealthCheckId": check},
        "stat": "Minimum",
        "expect": {"equals": 1},
        "alert": True,
        "timeout": 30,
    }
    probe = Cloudwatch.model_validate(given | settings)
    return run_at(1, one_sample(probe, Net(aws=calls.call)))


def put(calls: AwsCalls, check: str, value: float, *, ago: float) -> None:
    data = {
        "MetricName": "HealthCheckStatus",
        "Dimensions": [{"Name": "HealthCheckId", "Value": check}],
        "Timestamp": datetime.now(UTC) - timedelta(seconds=ago),
        "Value": value,
    }
    calls.call_now("cloudwatch", EAST, "put_metric_data", Namespace="AWS/Drill", MetricData=[data])


def test_a_metric_of_localstack_is_judged_by_its_last_period(localstack: str) -> None:
    calls = AwsCalls(localstack, key=("lab", "lab"), timeout_s=30)
    for check, value in (("well", 1.0), ("ill", 0.0)):
        put(calls, check, value, ago=60)
    put(calls, "old", 1.0, ago=400)
    well, ill, old = (attempted(calls, check) for check in ("well", "ill", "old"))
    late = attempted(calls, "old", stale_after="10m")
    none = attempted(calls, "none")
    calls.close()
    assert well.ok, well.error
    assert (well.detail["value"], well.detail["detected"]) == (1.0, False)
    assert 60 <= well.detail["age"] < 180
    assert ill.error == "HealthCheckStatus is 0, not 1"
    assert ill.detail["detected"] is True
    assert late.ok, late.error
    for sample in (old, none):
        assert sample.error == "HealthCheckStatus has no value of the last 3 min"
        assert "detected" not in sample.detail
