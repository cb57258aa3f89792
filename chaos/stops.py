"""What ends a run early besides people and probes: alarms of CloudWatch, and the time it takes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import ChaosError, InvalidInput
from chaos.experiment import Experiment, StopCondition
from chaos.loops import speed_of
from chaos.probing import cancel
from chaos.record import Stop
from probes.durations import show

# Seconds of the loop between two looks at an alarm: CloudWatch itself looks every 10 s at best.
EVERY_S = 5.0
# So long an alarm may tell nothing; then it guards nothing, and the run ends.
BLIND_S = 30.0
# Seconds of the wall that one look may take.
LOOK_S = 10.0
# What an alarm has against a run, by its state; None: it is not there.
RINGS = "is in ALARM"
BLIND = (
    "has INSUFFICIENT_DATA, so that it guards nothing; where no data is good news, let it treat"
    " missing data as notBreaching"
)
SAYS = {"OK": "", "ALARM": RINGS, None: "does not exist"}


class StopConditions:
    """The `stop_when` of an experiment but for its probes, and `longest`, in seconds.

    Both count from the first injection.
    """

    def __init__(
        self, experiment: Experiment, environment: Environment, longest: float | None = None
    ) -> None:
        self._environment = environment
        self._alarms = [stop for stop in experiment.stop_when if stop.alarm]
        limits = {stop.longer_than: "stop_when" for stop in experiment.stop_when}
        told = {seconds: name for seconds, name in limits.items() if seconds is not None}
        if longest is not None:
            told.setdefault(longest, "--max-duration")
        self._longest = min(told.items(), default=None)

    async def check(self) -> None:
        """Raises InvalidInput for each alarm that cannot guard: nothing may be touched then."""
        if problems := await self.against():
            raise InvalidInput(*problems)

    async def against(self) -> list[str]:
        """What each alarm that cannot guard has against beginning."""
        found = [await self._look(alarm) for alarm in self._alarms]
        return [
            f"stop_when: {_named(a)} {why}"
            for a, why in zip(self._alarms, found, strict=True)
            if why
        ]

    async def clear(self, stop: Stop) -> bool:
        """Whether no alarm has anything against beginning; tells `stop` of what one has."""
        try:
            await self.check()
        except InvalidInput as error:
            stop.request(f"{error.problems[0]}; nothing was broken")
        return not stop.requested

    @contextlib.asynccontextmanager
    async def minded(self, stop: Stop) -> AsyncIterator[None]:
        """While it is entered, whatever is to end the run does."""
        tasks = [asyncio.create_task(self._mind(alarm, stop)) for alarm in self._alarms]
        tasks += [asyncio.create_task(self._mind_the_time(stop))]
        try:
            yield
        finally:
            await cancel(tasks)

    async def _mind_the_time(self, stop: Stop) -> None:
        if self._longest is not None:
            seconds, name = self._longest
            await asyncio.sleep(seconds)
            stop.request(f"{name}: {show(seconds)} since the first injection")

    async def _mind(self, alarm: StopCondition, stop: Stop) -> None:
        loop = asyncio.get_running_loop()
        seen = loop.time()
        while not stop.requested:
            why = await self._look(alarm)
            if not why:
                seen = loop.time()
            elif why == RINGS:
                stop.request(f"stop_when: {_named(alarm)} {why}")
            elif loop.time() - seen >= BLIND_S:
                stop.request(
                    f"stop_when: {_named(alarm)} has guarded nothing for {show(BLIND_S)}: {why}"
                )
            await asyncio.sleep(EVERY_S)

    async def _look(self, alarm: StopCondition) -> str:
        """What it has against the run; empty: nothing."""
        try:
            async with asyncio.timeout(LOOK_S * speed_of(asyncio.get_running_loop())):
                state = await self._state(alarm)
        except TimeoutError:
            return f"could not be read within {LOOK_S:g} s"
        except ChaosError as error:
            return f"could not be read: {error}"
        return SAYS.get(state, BLIND)

    async def _state(self, alarm: StopCondition) -> str | None:
        answer: dict[str, Any] = await self._environment.at(alarm.account).call(
            "cloudwatch",
            str(alarm.region),
            "describe_alarms",
            AlarmNames=[alarm.alarm],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )
        found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        return next((str(each["StateValue"]) for each in found), None)


def _named(alarm: StopCondition) -> str:
    return f"the alarm {alarm.alarm} in {alarm.region}"
