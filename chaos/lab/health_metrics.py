"""What Route 53 publishes of its health checks in CloudWatch: `HealthCheckStatus`, 1 or 0.

As on AWS it is in us-east-1 alone. An id is made anew whenever a lab stands up, so that nobody can
write it down: each value is published under the check's name too, in the place of its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from chaos.lab.following import Follower
from chaos.lab.inventory import Call

NAMESPACE, METRIC, DIMENSION = "AWS/Route53", "HealthCheckStatus", "HealthCheckId"
REGION = "us-east-1"
# Seconds of the lab from one value to the next; on AWS it is a minute.
EVERY_S = 5.0
MOST = 150  # values in one call; CloudWatch takes 1,000

Checks = Callable[[], list[dict[str, Any]]]  # each with its `id`, its `name` and `healthy`


class HealthMetrics:
    """Publishes the status of the checks that there are, which may change at any time."""

    def __init__(self, checks: Checks, call: Call) -> None:
        self._checks = checks
        self._call = call
        self._follower = Follower("CloudWatch", self.publish, EVERY_S)

    def start(self) -> None:
        """Publish from now on."""
        self._follower.wake()
        self._follower.start()

    async def stop(self) -> None:
        """Publish no more."""
        await self._follower.stop()

    async def publish(self) -> None:
        """Publish once, if there is anything; raises CallFailed."""
        values = [value for check in self._checks() for value in _values(check)]
        for begin in range(0, len(values), MOST):
            await self._call(
                "cloudwatch",
                REGION,
                "put_metric_data",
                Namespace=NAMESPACE,
                MetricData=values[begin : begin + MOST],
            )


def _values(check: dict[str, Any]) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC)
    for known_by in {check["id"], check["name"]}:
        yield {
            "MetricName": METRIC,
            "Dimensions": [{"Name": DIMENSION, "Value": known_by}],
            "Timestamp": now,
            "Value": float(check["healthy"]),
            "StorageResolution": 1,
        }
