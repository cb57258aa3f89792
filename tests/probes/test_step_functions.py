from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.errors import CallFailed
from chaos.loops import run_virtual
from chaos.testing import one_sample
from probes.net import Net
from probes.probe import Attempt, ProbeFailed
from probes.step_functions import MAX_PAGES, StepFunctions

EAST = "us-east-1"
MACHINE = f"arn:aws:states:{EAST}:000000000000:stateMachine:encode"


def probe(**fields: Any) -> StepFunctions:
    given = {"state_machine": "encode", "region": EAST}
    return StepFunctions(**({"kind": "step_functions"} | given | fields))


def attempt(n: int = 0) -> Attempt:
    return Attempt(run="run1", probe="encoding", n=n)


class FakeStepFunctions:
    """Two state machines on two pages, and executions that end as they are told after `asks`."""

    def __init__(self, *, asks: int = 0, **ended: Any) -> None:
        self.started: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self._asks = asks
        self._ended = ended or {"status": "SUCCEEDED"}

    async def __call__(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        assert (service, region) == ("stepfunctions", EAST)
        self.calls.append(operation)
        return dict(getattr(self, operation)(**params))

    def list_state_machines(self, **params: Any) -> dict[str, Any]:
        if "nextToken" in params:
            return {"stateMachines": [{"name": "encode", "stateMachineArn": MACHINE}]}
        other = {"name": "encode2", "stateMachineArn": MACHINE + "2"}
        return {"stateMachines": [other], "nextToken": "more"}

    def start_execution(self, **params: Any) -> dict[str, Any]:
        self.started.append(params)
        return {"executionArn": f"arn:{params['name']}"}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803  # boto3's
        self._asks -= 1
        return {"status": "RUNNING"} if self._asks >= 0 else self._ended


def test_an_execution_that_succeeds_is_good() -> None:
    service, made = FakeStepFunctions(asks=3), attempt(7)

    async def main() -> float:
        began = asyncio.get_running_loop().time()
        await probe(input={"title": "Night Shift"}).check(Net(aws=service), made)
        return asyncio.get_running_loop().time() - began

    assert run_virtual(main()) == pytest.approx(1.5)
    (started,) = service.started
    assert started == {
        "stateMachineArn": MACHINE,
        "name": "run1-encoding-7",
        "input": '{"title": "Night Shift"}',
    }
    assert made.detail == {"execution": "arn:run1-encoding-7", "status": "SUCCEEDED"}
    assert list(made.phases) == ["start", "run"]


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (
            {"status": "FAILED", "error": "States.TaskFailed", "cause": "no space left"},
            "the execution is FAILED: States.TaskFailed: no space left",
        ),
        ({"status": "TIMED_OUT"}, "the execution is TIMED_OUT"),
        ({"status": "ABORTED", "cause": "by hand"}, "the execution is ABORTED: by hand"),
    ],
)
def test_one_that_ends_otherwise_is_bad_and_says_why(ended: dict[str, Any], said: str) -> None:
    made = attempt()
    with pytest.raises(ProbeFailed) as failed:
        run_virtual(probe().check(Net(aws=FakeStepFunctions(**ended)), made))
    assert str(failed.value) == said
    assert made.detail["status"] == ended["status"]


def test_one_that_does_not_end_is_given_up_and_goes_on() -> None:
    service = FakeStepFunctions(asks=10**6)
    sample = run_virtual(one_sample(probe(timeout=4.0), Net(aws=service)))
    assert (sample.ok, sample.error) == (False, "timed out after 4 s (run)")
    assert sample.detail == {"execution": "arn:r-p-0"}
    assert set(service.calls) == {"list_state_machines", "start_execution", "describe_execution"}


def test_a_name_is_looked_up_once_and_an_arn_never() -> None:
    service = FakeStepFunctions()

    async def main(machine: StepFunctions) -> None:
        for n in (0, 1):
            await machine.check(Net(aws=service), attempt(n))

    run_virtual(main(probe()))
    assert service.calls.count("list_state_machines") == 2  # pages
    service.calls.clear()
    run_virtual(main(probe(state_machine=MACHINE)))
    assert service.calls == ["start_execution", "describe_execution"] * 2


def test_a_machine_that_is_not_there_is_bad() -> None:
    service = FakeStepFunctions()
    with pytest.raises(ProbeFailed, match="there is no state machine decode in us-east-1"):
        run_virtual(probe(state_machine="decode").check(Net(aws=service), attempt()))
    assert not service.started


def test_it_does_not_look_for_a_machine_for_ever() -> None:
    asked: list[str] = []

    async def endless(service: str, region: str, operation: str, /, **_: Any) -> dict[str, Any]:
        asked.append(operation)
        return {"stateMachines": [], "nextToken": "more"}

    with pytest.raises(ProbeFailed, match="there is no state machine"):
        run_virtual(probe().check(Net(aws=endless), attempt()))
    assert len(asked) == MAX_PAGES


def test_a_call_that_fails_is_bad() -> None:
    async def refuse(service: str, region: str, operation: str, /, **_: Any) -> dict[str, Any]:
        raise CallFailed(operation, "ThrottlingException", "rate exceeded")

    with pytest.raises(ProbeFailed, match="ThrottlingException: rate exceeded"):
        run_virtual(probe().check(Net(aws=refuse), attempt()))


def test_a_name_that_would_be_too_long_keeps_its_end() -> None:
    service = FakeStepFunctions()
    long = Attempt(run="20261121-" + "x" * 90, probe="encoding", n=12)
    run_virtual(probe().check(Net(aws=service), long))
    name = service.started[0]["name"]
    assert len(name) == 80
    assert name.endswith("x-encoding-12")


@pytest.mark.parametrize(
    "fields", [{"state_machine": "two words"}, {"region": "east"}, {"input": "text"}]
)
def test_impossible_parameters_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        probe(**fields)


def test_what_it_calls() -> None:
    assert probe().services() == {"stepfunctions"}
