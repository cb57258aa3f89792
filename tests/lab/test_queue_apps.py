"""The apps that take messages from a queue: nothing is lost but where it was asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.lab import sdk
from chaos.lab.encoder import Encoder
from chaos.lab.instances import Instance
from chaos.lab.polling import Message, Poller, Queue
from chaos.lab.services import Service

EAST = "us-east-1"
WORKER = {"app": "worker", "queue": "jobs", "passes_to": "done"}


def an_instance(endpoint: str, **service: Any) -> Instance:
    return Instance(
        id="i-1",
        region=EAST,
        zone="us-east-1a",
        service=Service.model_validate({**WORKER, "aws_timeout": 20, **service}),
        table=None,
        address="127.1.1.10",
        socket="",
        port=80,
        dns=("127.0.0.1", 53),
        endpoint=endpoint,
        key=("lab-worker", "lab"),
        speed=2,
        queues={"jobs": EAST, "done": EAST},
    )


@pytest.fixture
def endpoint() -> Iterator[str]:
    """moto, with two queues whose messages are never invisible."""
    with moto_server() as (_, port):
        url = f"http://127.0.0.1:{port}"
        aws = AwsCalls(url, key=("lab", "lab"), timeout_s=30)
        for name in ("jobs", "done"):
            attributes = {"VisibilityTimeout": "0"}
            aws.call_now("sqs", EAST, "create_queue", QueueName=name, Attributes=attributes)
        yield url
        aws.close()


def bodies(endpoint: str, name: str) -> set[str]:
    return {m["Body"] for m in Queue(an_instance(endpoint), name).receive()}


def sent(endpoint: str, *texts: str) -> None:
    queue = Queue(an_instance(endpoint), "jobs")
    assert len(queue.send([{"Body": text} for text in texts])) == len(texts)


def test_what_was_passed_on_is_deleted(endpoint: str) -> None:
    worker = an_instance(endpoint)
    sent(endpoint, "one", "two")
    Poller(worker, Queue(worker, "done").send).look()
    assert bodies(endpoint, "done") == {"one", "two"}
    assert bodies(endpoint, "jobs") == set()


def test_only_what_was_passed_on_is_deleted(endpoint: str) -> None:
    def handle(messages: list[Message]) -> list[Message]:
        return [message for message in messages if message["Body"] == "one"]

    sent(endpoint, "one", "two")
    Poller(an_instance(endpoint), handle).look()
    assert bodies(endpoint, "jobs") == {"two"}


def fail(messages: list[Message]) -> list[Message]:
    raise ReadTimeoutError(endpoint_url=str(messages))


@pytest.mark.parametrize(("acknowledge", "left"), [("last", {"one"}), ("first", set[str]())])
def test_who_acknowledges_first_loses_what_cannot_be_handled(
    endpoint: str, acknowledge: str, left: set[str]
) -> None:
    sent(endpoint, "one")
    with pytest.raises(ReadTimeoutError):
        Poller(an_instance(endpoint, acknowledge=acknowledge), fail).look()
    assert bodies(endpoint, "jobs") == left


@pytest.mark.parametrize(("once", "times"), [(True, 1), (False, 2)])
def test_what_could_not_be_deleted_is_handled_again_unless_it_is_to_be_handled_once(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, once: bool, times: int
) -> None:
    handled: list[str] = []

    def handle(messages: list[Message]) -> list[Message]:
        handled.extend(message["Body"] for message in messages)
        return messages

    poller = Poller(an_instance(endpoint, once=once), handle)
    sent(endpoint, "one")
    with monkeypatch.context() as patch:
        patch.setattr(poller._queue, "delete", fail)
        with pytest.raises(ReadTimeoutError):
            poller.look()
    sent(endpoint, "two")
    while bodies(endpoint, "jobs"):
        poller.look()
    assert (handled.count("one"), handled.count("two")) == (times, 1)


def test_the_lag_is_the_age_of_what_was_handled_last(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller = Poller(an_instance(endpoint), lambda messages: messages)
    sent(endpoint, "one")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 100)
    poller.look()
    assert 195 < poller.lag < 300  # 100 s of the wall, at twice its speed
    poller.look()  # nothing waits any more
    assert poller.lag < 100


def test_the_lag_grows_as_long_as_nobody_can_look(monkeypatch: pytest.MonkeyPatch) -> None:
    poller = Poller(an_instance("http://127.0.0.1:1"), lambda messages: messages)
    with pytest.raises(sdk.FAILURES):
        poller.look()
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 100)
    assert poller.lag > 195


@pytest.mark.parametrize("retries", [True, False])
def test_without_retries_the_first_failure_is_the_end(
    retries: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0

    def sleep(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise SystemExit

    monkeypatch.setattr("chaos.lab.polling.time.sleep", sleep)
    poller = Poller(an_instance("http://127.0.0.1:1", retries=retries), fail)
    if retries:
        with pytest.raises(SystemExit):
            poller.poll()
    else:
        poller.poll()
    assert looks == (3 if retries else 0)


class Clients:
    """S3 and Step Functions, as far as the encoder calls them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.errors: dict[str, Exception] = {}

    def __getattr__(self, operation: str) -> Any:
        def call(**params: Any) -> dict[str, Any]:
            self.calls.append((operation, params))
            if operation in self.errors:
                raise self.errors[operation]
            return {}

        return call


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    fake = Clients()
    monkeypatch.setattr(sdk, "client", lambda *_: fake)
    return fake


JOB: Message = {"Body": json.dumps({"title": "Night Shift", "token": "t-1"})}


def encoder() -> Encoder:
    service = Service.model_validate({"app": "encoder", "queue": "jobs", "bucket": "encoded"})
    return Encoder(replace(an_instance(""), service=service))


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


def test_what_was_encoded_is_told(clients: Clients) -> None:
    assert encoder().work([JOB]) == [JOB]
    (put, stored), (told, answer) = clients.calls
    assert (put, told) == ("put_object", "send_task_success")
    assert (stored["Bucket"], stored["Key"]) == ("encoded-us-east-1", "encoded/Night%20Shift")
    assert json.loads(answer["output"])["key"] == stored["Key"]


def test_what_could_not_be_stored_is_told_as_a_failure_and_done_with(clients: Clients) -> None:
    clients.errors["put_object"] = error("ServiceUnavailable")
    assert encoder().work([JOB]) == [JOB]
    told, answer = clients.calls[-1]
    assert told == "send_task_failure"
    assert (answer["taskToken"], answer["error"]) == ("t-1", "Storage.Failed")


@pytest.mark.parametrize(("code", "done"), [("Throttling", []), ("TaskTimedOut", [JOB])])
def test_a_task_that_could_not_be_told_is_taken_again_unless_it_is_over(
    clients: Clients, code: str, done: list[Message]
) -> None:
    clients.errors["send_task_success"] = error(code)
    assert encoder().work([JOB]) == done


@pytest.mark.parametrize("body", ["", "[]", '{"title": "x"}'])
def test_what_is_no_job_is_thrown_away(clients: Clients, body: str) -> None:
    assert encoder().work([{"Body": body}]) == [{"Body": body}]
    assert clients.calls == []
