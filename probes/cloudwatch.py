"""The probe `cloudwatch`: a metric of CloudWatch, judged by the last period that has ended."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from probes.aws_api import NO_NAMES, ApiCall, Region
from probes.durations import Duration, show
from probes.probe import Attempt, Probe, ProbeFailed
from probes.thresholds import Threshold

if TYPE_CHECKING:
    from probes.net import Net

# CloudWatch API, MetricStat: names of 1 to 255 characters; statistics, percentiles and the like.
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")]
STAT = r"^(SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|tc|ts|wm)\d{1,3}(\.\d+)?)$"
# The same, Period: 1, 5, 10, 30 or any multiple of 60 seconds.
HIGH_RESOLUTION = (1.0, 5.0, 10.0, 30.0)
MOST_DIMENSIONS = 30
# How far our clock may be from the service's, told in whole seconds, to be taken for the same.
SAME_CLOCK_S = 2.0


class Cloudwatch(Probe):
    """Asks CloudWatch for the last value of one metric, of a period that has ended.

    An attempt is good when the value is as expected. With `alert: true` a value that is not is what
    tells of the fault, as the `HealthCheckStatus` of Route 53 does, and `detects_within` measures
    how soon. The metrics of Route 53 are all in us-east-1, and go with it when that is what fails.

    A value says what was in its period. So each sample tells the `age` of what it saw: from the
    beginning of that period, by the clock of CloudWatch. Intervals of recovery reach that much
    further back: one or two periods, and what the metric takes to arrive. Ask about once in each;
    more often tells no more, and `confirm` would count one value several times.

    A value older than `stale_after` proves nothing: then the attempt is as `missing` says, and no
    detection. So is one to which CloudWatch gave no whole answer, which is always bad. In a lab
    that runs faster, a period is as many seconds of the lab, in whole seconds of the wall.

    Measured phase: `call`.
    """

    summary: ClassVar[str] = "a CloudWatch metric: its last value, and so what others measure"
    example: ClassVar[str] = """
origin:
  kind: cloudwatch
  namespace: AWS/Route53
  metric: HealthCheckStatus
  dimensions: {HealthCheckId: 6f0c3c1e-0d2c-4b7e-9d8e-2a6f3b1c5d4e}
  stat: Minimum
  region: us-east-1
  expect: {equals: 1}
  every: 20s
"""
    without: ClassVar[Mapping[str, str]] = NO_NAMES

    kind: Literal["cloudwatch"]
    region: Region = Field(description="the region of the metric, such as us-east-1")
    namespace: Name = Field(description="namespace, such as AWS/ApplicationELB")
    metric: Name = Field(description="name of the metric")
    dimensions: dict[Name, Name] = Field(
        default_factory=dict,
        max_length=MOST_DIMENSIONS,
        description="all dimensions of the metric, by name",
    )
    stat: str = Field(pattern=STAT, description="what of a period's values: Minimum, Sum, p99 …")
    period: Duration = Field(
        default=60.0, gt=0, description="1s, 5s, 10s or 30s where the metric has it, or minutes"
    )
    expect: Threshold = Field(description="what the value must be")
    missing: Literal["bad", "good"] = Field(
        default="bad",
        description="what it is when there is no value, as of metrics that count errors alone",
    )
    stale_after: Duration | None = Field(
        default=None,
        gt=0,
        description="age from which a value proves nothing, from the beginning of its period; two"
        " periods or more; default: three",
    )
    alert: bool = Field(default=False, description="whether it is what is to tell of the fault")

    @field_validator("period")
    @classmethod
    def _possible_period(cls, period: float) -> float:
        if period not in HIGH_RESOLUTION and (period < 60 or period % 60):
            raise ValueError(f"{show(period)} is no period; take 1s, 5s, 10s, 30s or whole minutes")
        return period

    @model_validator(mode="after")
    def _may_be_fresh(self) -> Self:
        if self.stale_after is not None and self.stale_after < 2 * self.period:
            raise ValueError(
                "the last period that has ended may have begun almost two periods ago; write"
                f" stale_after: {2 * self.period:g}s or more"
            )
        return self

    @property
    def detects(self) -> bool:  # type: ignore[override]  # of some kinds it is a setting
        """Whether it is to tell of faults."""
        return self.alert

    def calls(self) -> tuple[ApiCall, ...]:
        return (ApiCall(service="cloudwatch", region=self.region, operation="get_metric_data"),)

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Ask once; good when the last value is as expected."""
        # The loop's seconds, which are more than the wall's where a lab runs faster.
        speed = getattr(asyncio.get_running_loop(), "speed", 1.0)
        period = math.ceil(self.period / speed)
        limit = max((self.stale_after or 3 * self.period) / speed, 3 * period if speed > 1 else 0)
        ended = math.floor(datetime.now(UTC).timestamp() / period) * period
        with attempt.phase("call"):
            answer = await net.aws(
                "cloudwatch",
                self.region,
                "get_metric_data",
                MetricDataQueries=[self._query(period)],
                StartTime=_moment(ended - math.ceil(limit / period) * period),
                EndTime=_moment(ended),
            )
        now = _now(answer)
        values = [(t, v) for t, v in _values(answer) if t + period <= now and now - t <= limit]
        began, value = max(values, default=(now - period, None))
        if value is None and self.missing == "bad":
            raise ProbeFailed(f"{self.metric} has no value of the last {show(limit * speed)}")
        if value is not None and not math.isfinite(value):
            raise ProbeFailed(f"{self.metric} is {value:g}, which is no number")
        attempt.detail.update(value=value, age=round((now - began) * speed, 6))
        self._judge(value, attempt)

    def _query(self, period: int) -> dict[str, Any]:
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        metric = {"Namespace": self.namespace, "MetricName": self.metric, "Dimensions": dimensions}
        return {
            "Id": "asked",
            "MetricStat": {"Metric": metric, "Period": period, "Stat": self.stat},
        }

    def _judge(self, value: float | None, attempt: Attempt) -> None:
        unmet = "" if value is None else self.expect.unmet(value)
        if self.alert:
            attempt.detail["detected"] = bool(unmet)
        if unmet:
            raise ProbeFailed(f"{self.metric} is {value:g}, not {unmet}")


def _moment(wall: float) -> datetime:
    return datetime.fromtimestamp(wall, UTC)


def _values(answer: dict[str, Any]) -> list[tuple[float, float]]:
    """When each period began and its value; raises ProbeFailed for an answer that is not whole."""
    results = [r for r in answer.get("MetricDataResults", ()) if r.get("Id") == "asked"]
    if not results:
        raise ProbeFailed("the answer says nothing of the metric")
    if (status := results[0].get("StatusCode", "Complete")) != "Complete":
        raise ProbeFailed(f"the answer is not whole: {status}")
    began = (moment.timestamp() for moment in results[0].get("Timestamps", ()))
    return [*zip(began, map(float, results[0].get("Values", ())), strict=True)]


def _now(answer: dict[str, Any]) -> float:
    """The wall's time: the service's, where our clock differs from what it tells."""
    ours = datetime.now(UTC)
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        theirs = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return ours.timestamp()
    same = abs(ours - theirs.replace(tzinfo=theirs.tzinfo or UTC)) <= timedelta(
        seconds=SAME_CLOCK_S
    )
    return (ours if same else theirs).timestamp()
