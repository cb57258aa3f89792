"""The probe `cloudwatch_alarm`: whether an alarm of CloudWatch rings, and so how soon it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from probes.aws_api import NO_NAMES, ApiCall, Region
from probes.probe import Attempt, Probe, ProbeFailed

if TYPE_CHECKING:
    from probes.net import Net

# CloudWatch API, PutMetricAlarm: 1 to 255 characters, no control characters.
AlarmName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")
]
# Composite alarms are told only to those who ask for them (DescribeAlarms, AlarmTypes).
TYPES = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}


class CloudwatchAlarm(Probe):
    """Asks CloudWatch for the state of one alarm, of a metric or composite.

    An attempt is good while the alarm is `OK` and bad while it is in `ALARM`. With the objective
    `detects_within`, the time from the fault to the first attempt that sees `ALARM` is measured. An
    attempt to which CloudWatch gives no answer is bad too, and is never taken for a detection.

    CloudWatch looks at a metric once in each period of the alarm, and an alarm that wants several
    periods in a row needs all of them: that is most of the time that is measured. Ask a few times
    in each period; more often tells no more.

    Measured phase: `call`.
    """

    summary: ClassVar[str] = "a CloudWatch alarm: whether it rings, and how soon after a fault"
    example: ClassVar[str] = """
errors:
  kind: cloudwatch_alarm
  alarm: playback-errors
  region: us-east-1
"""
    detects: ClassVar[bool] = True
    without: ClassVar[Mapping[str, str]] = NO_NAMES

    kind: Literal["cloudwatch_alarm"]
    alarm: AlarmName = Field(description="name of the alarm")
    region: Region = Field(description="the region of the alarm, such as us-east-1")
    insufficient_data: Literal["bad", "good"] = Field(
        default="bad", description="what an alarm is that has too little data to tell"
    )

    def calls(self) -> tuple[ApiCall, ...]:
        # Composite alarms are told to those alone who may ask for all alarms.
        return (ApiCall(service="cloudwatch", region=self.region, operation="describe_alarms"),)

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Ask once; good while the alarm does not ring."""
        with attempt.phase("call"):
            answer = await net.aws(
                "cloudwatch",
                self.region,
                "describe_alarms",
                AlarmNames=[self.alarm],
                AlarmTypes=list(TYPES),
            )
        alarm = self._found(answer)
        state, reason = alarm["StateValue"], alarm.get("StateReason", "")
        attempt.detail.update(state=state, reason=reason, detected=state == "ALARM")
        self._judge(state, reason)

    def _found(self, answer: dict[str, Any]) -> dict[str, Any]:
        alarms = [alarm for key in TYPES.values() for alarm in answer.get(key, ())]
        for alarm in alarms:
            if alarm["AlarmName"] == self.alarm:
                found: dict[str, Any] = alarm
                return found
        raise ProbeFailed(f"there is no alarm {self.alarm!r} in {self.region}")

    def _judge(self, state: str, reason: str) -> None:
        why = f": {reason}" if reason else ""
        if state == "INSUFFICIENT_DATA":
            if self.insufficient_data == "bad":
                raise ProbeFailed(f"{self.alarm} has too little data to tell{why}")
        elif state != "OK":
            raise ProbeFailed(f"{self.alarm} is in {state}{why}")
