from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed
from chaos.loops import run_at, run_virtual
from probes.net import Net
from probes.probe import Attempt, ProbeFailed
from probes.sqs_ledger import SqsLedger

EAST = "us-east-1"
NUMBERS = itertools.count()


def ledger(**fields: Any) -> SqsLedger:
    given = {"queue": "jobs", "region": EAST}
    return SqsLedger(**({"kind": "sqs_ledger"} | given | fields))


def attempt(n: int = 0, probe: str = "jobs", run: str = "run1") -> Attempt:
    return Attempt(run=run, probe=probe, n=n)


# --- against a server ---------------------------------------------------------------------


class Stand:
    """Two queues of a moto server that nobody else uses, and their consumer."""

    def __init__(self, calls: AwsCalls, jobs: str, done: str) -> None:
        self.calls = calls
        self.net = Net(aws=calls.call)
        self.jobs = jobs
        self.done = done

    async def sqs(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.calls.call("sqs", EAST, operation, **params)

    async def url(self, queue: str) -> str:
        return str((await self.sqs("get_queue_url", QueueName=queue))["QueueUrl"])

    async def receive(self, queue: str, **params: Any) -> list[dict[str, Any]]:
        url = await self.url(queue)
        answer = await self.sqs("receive_message", QueueUrl=url, MaxNumberOfMessages=10, **params)
        return list(answer.get("Messages", []))

    async def pass_on(self, messages: list[dict[str, Any]]) -> None:
        jobs, done = await self.url(self.jobs), await self.url(self.done)
        for message in messages:
            await self.sqs("send_message", QueueUrl=done, MessageBody=message["Body"])
            handle = message["ReceiptHandle"]
            await self.sqs("delete_message", QueueUrl=jobs, ReceiptHandle=handle)

    async def put(self, queue: str, body: str) -> None:
        await self.sqs("send_message", QueueUrl=await self.url(queue), MessageBody=body)


@pytest.fixture(scope="module")
def calls() -> Iterator[AwsCalls]:
    with moto_server() as (host, port):
        calls = AwsCalls(f"http://{host}:{port}", key=("lab", "lab"), timeout_s=30)
        yield calls
        calls.close()


def play(calls: AwsCalls, scene: Callable[[Stand], Awaitable[None]]) -> None:
    async def main() -> None:
        number = next(NUMBERS)
        stand = Stand(calls, f"jobs-{number}", f"done-{number}")
        for queue in (stand.jobs, stand.done):
            await stand.sqs("create_queue", QueueName=queue)
        await scene(stand)

    run_at(1, asyncio.wait_for(main(), 60))


async def send(probe: SqsLedger, stand: Stand, *numbers: int) -> None:
    for n in numbers:
        sent = attempt(n)
        await probe.check(stand.net, sent)
        assert sent.detail == {"write": "acknowledged"}
        assert list(sent.phases) == ["write"]


def test_without_a_consumer_what_was_sent_is_received_again(calls: AwsCalls) -> None:
    async def scene(stand: Stand) -> None:
        probe = ledger(queue=stand.jobs)
        await send(probe, stand, *range(25))
        assert await probe.read(stand.net, attempt()) == [*range(25)]
        assert await stand.receive(stand.jobs) == []

    play(calls, scene)


def test_what_was_read_before_is_remembered(calls: AwsCalls) -> None:
    async def scene(stand: Stand) -> None:
        probe = ledger(queue=stand.jobs)
        await send(probe, stand, 0, 1)
        assert await probe.read(stand.net, attempt()) == [0, 1]
        await send(probe, stand, 2)
        assert await probe.read(stand.net, attempt()) == [0, 1, 2]

    play(calls, scene)


def test_what_waits_for_the_consumer_is_not_lost_and_stays(calls: AwsCalls) -> None:
    async def scene(stand: Stand) -> None:
        probe = ledger(queue=stand.jobs, read_queue=stand.done)
        await send(probe, stand, 0, 1, 2)
        await stand.pass_on((await stand.receive(stand.jobs))[:1])
        # The other two are in the consumer's hands, and given back.
        await stand.sqs("purge_queue", QueueUrl=await stand.url(stand.jobs))
        await send(probe, stand, 1, 2)
        assert await probe.read(stand.net, attempt()) == [0, 1, 2]
        waiting = await stand.receive(stand.jobs)
        assert [json.loads(message["Body"])["number"] for message in waiting] == [1, 2]
        await stand.pass_on(waiting)
        assert await probe.read(stand.net, attempt()) == [0, 1, 2]
        assert await stand.receive(stand.done) == []

    play(calls, scene)


def test_what_was_purged_is_lost(calls: AwsCalls) -> None:
    async def scene(stand: Stand) -> None:
        probe = ledger(queue=stand.jobs, read_queue=stand.done)
        await send(probe, stand, 0, 1, 2)
        await stand.pass_on((await stand.receive(stand.jobs, VisibilityTimeout=0))[:1])
        await stand.sqs("purge_queue", QueueUrl=await stand.url(stand.jobs))
        assert await probe.read(stand.net, attempt()) == [0]

    play(calls, scene)


def test_what_is_in_other_hands_makes_the_read_fail_and_not_the_system(calls: AwsCalls) -> None:
    async def scene(stand: Stand) -> None:
        probe = ledger(queue=stand.jobs, read_queue=stand.done, timeout=1.0)
        await send(probe, stand, 0, 1)
        messages = await stand.receive(stand.jobs)
        with pytest.raises(ProbeFailed, match="2 messages are delayed or with another"):
            await probe.read(stand.net, attempt())
        await stand.pass_on(messages)
        assert await probe.read(stand.net, attempt()) == [0, 1]

    play(calls, scene)


def test_a_message_that_is_passed_on_twice_is_told_twice(calls: AwsCalls) -> None:
    async def scene(stand: Stand) -> None:
        probe = ledger(queue=stand.jobs, read_queue=stand.done)
        await send(probe, stand, 0, 1)
        messages = await stand.receive(stand.jobs)
        await stand.put(stand.done, messages[0]["Body"])
        await stand.pass_on(messages)
        assert await probe.read(stand.net, attempt()) == [0, 0, 1]

    play(calls, scene)


def test_messages_of_others_are_given_back_at_once(calls: AwsCalls) -> None:
    bodies = [
        "no JSON",
        "[1]",
        json.dumps({"ledger": "run1/other", "number": 3}),
        json.dumps({"ledger": "run1/jobs", "number": True}),
        json.dumps({"ledger": "run1/jobs"}),
    ]

    async def scene(stand: Stand) -> None:
        for body in bodies:
            await stand.put(stand.jobs, body)
        probe = ledger(queue=stand.jobs)
        await send(probe, stand, 7)
        assert await probe.read(stand.net, attempt()) == [7]
        found = await stand.receive(stand.jobs)
        assert sorted(message["Body"] for message in found) == sorted(bodies)

    play(calls, scene)


def test_a_queue_by_its_url(calls: AwsCalls) -> None:
    async def scene(stand: Stand) -> None:
        probe = ledger(queue=await stand.url(stand.jobs))
        await send(probe, stand, 7)
        assert await probe.read(stand.net, attempt()) == [7]

    play(calls, scene)


def test_a_queue_that_is_not_there_is_bad_in_both_directions(calls: AwsCalls) -> None:
    async def scene(stand: Stand) -> None:
        probe = ledger(queue="nowhere")
        sent = attempt()
        with pytest.raises(ProbeFailed, match="NonExistentQueue"):
            await probe.check(stand.net, sent)
        assert sent.detail == {"write": "unknown"}
        with pytest.raises(ProbeFailed, match="NonExistentQueue"):
            await probe.read(stand.net, attempt())

    play(calls, scene)


# --- against a fake -----------------------------------------------------------------------


def test_a_message_is_sent_once_and_refusal_is_bad() -> None:
    asked: list[str] = []

    async def refuse(service: str, region: str, operation: str, /, **_: Any) -> dict[str, Any]:
        asked.append(operation)
        if operation == "get_queue_url":
            return {"QueueUrl": "http://127.0.0.1:1/000000000000/jobs"}
        raise CallFailed(operation, "RequestThrottled", "slow down")

    probe = ledger()
    for n in (0, 1):
        with pytest.raises(ProbeFailed, match="RequestThrottled: slow down"):
            run_virtual(probe.check(Net(aws=refuse), attempt(n)))
    assert asked == ["get_queue_url", "send_message", "send_message"]


def test_two_runs_of_one_probe_are_told_apart() -> None:
    async def idle(service: str, region: str, operation: str, /, **_: Any) -> dict[str, Any]:
        return {"QueueUrl": "http://127.0.0.1:1/000000000000/jobs", "Attributes": {}}

    async def main() -> tuple[list[int], list[int]]:
        probe, net = ledger(), Net(aws=idle)
        probe._received["run1/jobs"] = {"a": 4}
        return await probe.read(net, attempt()), await probe.read(net, attempt(run="run2"))

    assert run_virtual(main()) == ([4], [])


@pytest.mark.parametrize(
    "fields",
    [
        {"queue": "jobs.fifo"},
        {"queue": "http://127.0.0.1/0/jobs.fifo"},
        {"queue": ""},
        {"read_queue": "a queue"},
        {"region": "east"},
    ],
)
def test_impossible_parameters_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ledger(**fields)


def test_it_is_known_as_a_ledger() -> None:
    assert ledger().ledger
    assert ledger().services() == {"sqs"}
