"""The probe `step_functions`: start an execution, and wait for it to succeed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, JsonValue, PrivateAttr, StringConstraints

from probes.aws_api import NO_NAMES, ApiCall, Region
from probes.durations import Duration
from probes.probe import Attempt, Probe, ProbeFailed

if TYPE_CHECKING:
    from probes.net import Net

ARN = "arn:"
Machine = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9_-]{1,80}|arn:aws[a-z-]*:states:[^\s]{1,200})$"),
]
POLL_EVERY_S = 0.5  # of the loop
LONGEST_NAME = 80  # of an execution (the service's limit)
MAX_PAGES = 20  # of 1000 state machines each


class StepFunctions(Probe):
    """Starts an execution of a state machine, and waits until it has succeeded.

    An attempt is good when its execution is SUCCEEDED within the timeout. One that is FAILED,
    TIMED_OUT or ABORTED is bad, and so is one that still runs when the attempt is given up: that
    ends the waiting alone, the execution goes on. Its name is RUN-PROBE-NUMBER (the last 80
    characters of it), by which it is found in the console; the service starts no second one of
    that name.

    The state machine must be a standard one: executions of express ones cannot be asked after.
    Executions stay in its history, as long as the service keeps them.

    Measured phases: `start`, and `run` until it has ended, seen to half a second.
    """

    summary: ClassVar[str] = "a Step Functions execution that has to succeed in time"
    example: ClassVar[str] = """
encoding:
  kind: step_functions
  state_machine: encode
  region: us-east-1
  input: {title: Night Shift}
  every: 5s
  timeout: 30s
"""
    without: ClassVar[Mapping[str, str]] = NO_NAMES

    kind: Literal["step_functions"]
    every: Duration = Field(default=5.0, ge=0.001, description="period of the grid")
    timeout: Duration = Field(default=30.0, gt=0, description="when an attempt is given up")
    state_machine: Machine = Field(description="its name or its ARN")
    region: Region = Field(description="the region of the state machine")
    input: dict[str, JsonValue] = Field(
        default_factory=dict, description="what each execution is started with"
    )

    # A name's ARN, once it is known: its account is not known otherwise.
    _arn: dict[str, str] = PrivateAttr(default_factory=dict)

    def calls(self) -> tuple[ApiCall, ...]:
        named = self.state_machine.startswith(ARN)
        name = f"arn:aws:states:{self.region}:*:stateMachine:{self.state_machine}"
        machine = self.state_machine if named else name
        runs = machine.replace(":stateMachine:", ":execution:", 1) + ":*"
        made = [("start_execution", machine), ("describe_execution", runs)]
        made += [] if named else [("list_state_machines", "*")]
        return tuple(
            ApiCall(
                service="stepfunctions", region=self.region, operation=operation, resource=resource
            )
            for operation, resource in made
        )

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Start one execution; good when it has succeeded."""
        with attempt.phase("start"):
            started = await self._call(
                net,
                "start_execution",
                stateMachineArn=await self._machine(net),
                name=f"{attempt.run}-{attempt.probe}-{attempt.n}"[-LONGEST_NAME:],
                input=json.dumps(self.input),
            )
        attempt.detail["execution"] = started["executionArn"]
        with attempt.phase("run"):
            ended = await self._ended(net, started["executionArn"])
        attempt.detail["status"] = ended["status"]
        if ended["status"] != "SUCCEEDED":
            raise ProbeFailed(_told(ended))

    async def _ended(self, net: Net, execution: str) -> dict[str, Any]:
        """What is said of the execution when it has ended; the attempt's timeout bounds it."""
        import asyncio

        while True:
            found = await self._call(net, "describe_execution", executionArn=execution)
            if found["status"] not in ("RUNNING", "PENDING_REDRIVE"):
                return found
            await asyncio.sleep(POLL_EVERY_S)

    async def _machine(self, net: Net) -> str:
        if self.state_machine.startswith(ARN):
            return self.state_machine
        if self.state_machine not in self._arn:
            self._arn[self.state_machine] = await self._look_up(net)
        return self._arn[self.state_machine]

    async def _look_up(self, net: Net) -> str:
        more: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            page = await self._call(net, "list_state_machines", maxResults=1000, **more)
            for machine in page["stateMachines"]:
                if machine["name"] == self.state_machine:
                    return str(machine["stateMachineArn"])
            if not page.get("nextToken"):
                break
            more = {"nextToken": page["nextToken"]}
        raise ProbeFailed(f"there is no state machine {self.state_machine} in {self.region}")

    async def _call(self, net: Net, operation: str, **params: Any) -> dict[str, Any]:
        return await net.aws("stepfunctions", self.region, operation, **params)


def _told(ended: dict[str, Any]) -> str:
    why = ": ".join(str(ended[key]) for key in ("error", "cause") if ended.get(key))
    return f"the execution is {ended['status']}" + (f": {why}" if why else "")
