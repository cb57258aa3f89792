"""What Route 53 publishes of its checks is found in CloudWatch, by id and by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.lab.health_metrics import MOST, HealthMetrics
from chaos.loops import run_at, run_virtual
from chaos.testing import one_sample
from probes.cloudwatch import Cloudwatch
from probes.net import Net
from probes.probe import Sample

WITHIN_S = 30.0


@pytest.fixture
def moto() -> Iterator[AwsCalls]:
    with moto_server() as (host, port):
        calls = AwsCalls(f"http://{host}:{port}", key=("lab", "lab"), timeout_s=30)
        yield calls
        calls.close()


def check(name: str, healthy: bool) -> dict[str, Any]:
    return {"id": f"id-of-{name}", "name": name, "healthy": healthy, "checkers": [healthy]}


def probe(known_by: str) -> Cloudwatch:
    given = {
        "kind": "cloudwatch",
        "region": "us-east-1",
        "namespace": "AWS/Route53",
        "metric": "HealthCheckStatus",
        "dimensions": {"HealthCheckId": known_by},
        "stat": "Minimum",
        "period": "1s",
        "stale_after": "1m",
        "expect": {"equals": 1},
        "alert": True,
        "timeout": 30,
    }
    return Cloudwatch.model_validate(given)


@pytest.mark.parametrize("form", ["{}", "id-of-{}"])
def test_a_probe_finds_the_status_of_a_check(moto: AwsCalls, form: str) -> None:
    checks = [check("api (primary)", True), check("api (secondary)", False)]

    async def first_look(known_by: str) -> Sample:
        while True:  # the second in which it was published has to end
            sample = await one_sample(probe(known_by), Net(aws=moto.call))
            if "detected" in sample.detail:
                return sample

    async def main() -> list[Sample]:
        metrics = HealthMetrics(lambda: checks, moto.call)
        metrics.start()
        async with asyncio.timeout(WITHIN_S):
            found = [await first_look(form.format(one["name"])) for one in checks]
        await metrics.stop()
        return found

    primary, secondary = run_at(1, main())
    assert (primary.ok, primary.detail["detected"]) == (True, False)
    assert (secondary.ok, secondary.detail["detected"]) == (False, True)


def test_it_is_published_again_and_again_and_of_whatever_there_is() -> None:
    published: list[int] = []
    checks: list[dict[str, Any]] = []

    async def call(service: str, region: str, operation: str, /, **params: Any) -> dict[str, Any]:
        assert (service, region, operation) == ("cloudwatch", "us-east-1", "put_metric_data")
        published.append(len(params["MetricData"]))
        return {}

    async def main() -> None:
        metrics = HealthMetrics(lambda: checks, call)
        metrics.start()
        await asyncio.sleep(7)
        assert published == []
        checks.extend(check(str(n), True) for n in range(MOST))
        await asyncio.sleep(5)
        await metrics.stop()
        await asyncio.sleep(60)

    run_virtual(main())
    assert published == [MOST, MOST]
