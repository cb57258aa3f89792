"""CloudWatch for a lab: its balancers publish metrics, and where nobody does, alarms are evaluated.

moto stores alarms and never looks at them; LocalStack evaluates its own, in seconds of the wall.
What is stored is stamped by the wall's clock and read in whole seconds of it, so that at speed N a
value can be taken for one of up to N seconds of the lab before.
"""

from __future__ import annotations

import asyncio
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.lab.balancer import Balancer
from chaos.lab.chance import CHANCE
from chaos.lab.declaration import Lab
from chaos.lab.following import Follower
from chaos.lab.inventory import Call
from chaos.loops import speed_of

# Seconds of the lab from one value of a metric to the next, and from one look at the alarms.
EVERY_S = 5.0
NAMESPACE = "AWS/NetworkELB"

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
STATISTICS: dict[str, Callable[[Sequence[Mapping[str, float]]], float]] = {
    "Average": lambda found: _sum(found, "Sum") / _sum(found, "SampleCount"),
    "Maximum": lambda found: max(one["Maximum"] for one in found),
    "Minimum": lambda found: min(one["Minimum"] for one in found),
    "Sum": lambda found: _sum(found, "Sum"),
    "SampleCount": lambda found: _sum(found, "SampleCount"),
}
# What a period without a value counts as; of others it does not count at all.
MISSING = {"breaching": True, "notBreaching": False}

Alarm = Mapping[str, Any]  # as DescribeAlarms gives it


class Alarms:
    """Publishes in the regions for which the lab declares alarms, and evaluates there if asked."""

    def __init__(
        self, lab: Lab, call: Call, balancers: Iterable[Balancer], *, evaluates: bool
    ) -> None:
        self._regions = sorted({alarm.region for alarm in lab.alarms.values()})
        self._call = call
        self._balancers = [one for one in balancers if one.region in self._regions]
        self._evaluates = evaluates
        self._due: dict[tuple[str, str], float] = {}  # by region and name, loop time
        self._follower = Follower("CloudWatch", self.look, EVERY_S)

    def start(self) -> None:
        """Publish from now on; without alarms nobody asks for it."""
        if self._regions:
            self._follower.wake()
            self._follower.start()

    async def stop(self) -> None:
        """Publish no more."""
        await self._follower.stop()

    async def look(self) -> None:
        """Publish once, and evaluate the alarms whose time it is; raises CallFailed."""
        await asyncio.gather(*(self._publish(balancer) for balancer in self._balancers))
        if self._evaluates:
            await asyncio.gather(*(self._evaluate_all(region) for region in self._regions))

    async def _publish(self, balancer: Balancer) -> None:
        healthy = [*balancer.describe()["targets"].values()]
        values = {"HealthyHostCount": sum(healthy), "UnHealthyHostCount": healthy.count(False)}
        await self._call(
            "cloudwatch",
            balancer.region,
            "put_metric_data",
            Namespace=NAMESPACE,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "LoadBalancer", "Value": balancer.service}],
                    "Timestamp": datetime.now(UTC),
                    "Value": value,
                    "Unit": "Count",
                    "StorageResolution": 1,
                }
                for name, value in values.items()
            ],
        )

    async def _evaluate_all(self, region: str) -> None:
        now = asyncio.get_running_loop().time()
        for alarm in (await self._call("cloudwatch", region, "describe_alarms"))["MetricAlarms"]:
            key = (region, alarm["AlarmName"])
            begin = now + alarm["Period"] * CHANCE.phase(f"alarm {alarm['AlarmName']}")
            if self._due.setdefault(key, begin) <= now:
                self._due[key] = now + alarm["Period"]
                await self._evaluate(region, alarm)

    async def _evaluate(self, region: str, alarm: Alarm) -> None:
        state = judged(alarm, await self._values(region, alarm))
        if state not in (None, alarm["StateValue"]):
            await self._call(
                "cloudwatch",
                region,
                "set_alarm_state",
                AlarmName=alarm["AlarmName"],
                StateValue=state,
                StateReason=f"the lab has evaluated {alarm['MetricName']}",
            )

    async def _values(self, region: str, alarm: Alarm) -> list[float | None]:
        """Of each period that the alarm looks at, the last one first; None where there is none."""
        length = alarm["Period"] / speed_of(asyncio.get_running_loop())
        periods, now = alarm["EvaluationPeriods"], datetime.now(UTC)
        answer = await self._call(
            "cloudwatch",
            region,
            "get_metric_statistics",
            Namespace=alarm["Namespace"],
            MetricName=alarm["MetricName"],
            Dimensions=alarm.get("Dimensions", []),
            StartTime=now - timedelta(seconds=math.ceil(length * periods) + 1),
            EndTime=now + timedelta(seconds=1),
            Period=1,
            Statistics=[*STATISTICS],
        )
        found: list[list[Mapping[str, float]]] = [[] for _ in range(periods)]
        for one in answer["Datapoints"]:
            age = (now - one["Timestamp"]).total_seconds()
            if (number := max(0, math.floor(age / length))) < periods:
                found[number].append(one)
        return [STATISTICS[alarm["Statistic"]](of_one) if of_one else None for of_one in found]


def judged(alarm: Alarm, values: Sequence[float | None]) -> str | None:
    """The state that the alarm should be in, by the values of its periods; None: as it is."""
    missing = alarm.get("TreatMissingData", "missing")
    bad = COMPARISONS[alarm["ComparisonOperator"]]
    results = [
        MISSING.get(missing) if value is None else bad(value, alarm["Threshold"])
        for value in values
    ]
    if results.count(None) == len(results):
        return None if missing == "ignore" else "INSUFFICIENT_DATA"
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    return "ALARM" if results.count(True) >= needed else "OK"


def _sum(found: Sequence[Mapping[str, float]], name: str) -> float:
    return sum(one[name] for one in found)
