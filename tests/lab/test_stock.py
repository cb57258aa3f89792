"""What a lab keeps in AWS is made as declared, adopted when it is its own, and else left alone."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from upstreams import moto_server, run

from chaos import schema
from chaos.environments.calls import AwsCalls
from chaos.errors import EnvironmentFailed
from chaos.lab.declaration import Lab
from chaos.lab.made import Made
from chaos.lab.resources import Secret
from chaos.lab.stock import stock

SYSTEMS = Path(__file__).parents[2] / "chaos" / "lab" / "systems"
EAST, WEST = "us-east-1", "us-west-2"
LAB = schema.load(SYSTEMS / "streaming-s3.yaml", Lab).model_copy(
    update={
        name: {**getattr(schema.load(SYSTEMS / "queue.yaml", Lab), name)}
        | getattr(schema.load(SYSTEMS / "pipeline.yaml", Lab), name)
        for name in ("queues", "pipelines")
    }
)
Call = Callable[..., Awaitable[dict[str, Any]]]


class Noted(Made):
    """What is to be removed, by operation and what it names."""

    def __init__(self) -> None:
        self.undone: list[tuple[str, str]] = []

    def undo(self, service: str, region: str, operation: str, /, **params: Any) -> None:
        (named,) = params.values()
        self.undone.append((f"{service} {operation} {region}", str(named)))


def with_moto(work: Callable[[Call], Awaitable[None]], *, speed: float = 1) -> None:
    async def test(port: int) -> None:
        aws = AwsCalls(f"http://127.0.0.1:{port}", key=("lab", "lab"), timeout_s=30)
        try:
            await work(aws.call)
        finally:
            aws.close()

    with moto_server() as (_, port):
        run(test(port), speed=speed)


def test_all_of_it_is_there_as_it_was_declared() -> None:
    async def work(call: Call) -> None:
        made = Noted()
        await stock(LAB, call, made)
        for region in (EAST, WEST):
            bucket = {"Bucket": f"viewing-history-{region}"}
            status = await call("s3", region, "get_bucket_versioning", **bucket)
            assert status["Status"] == "Enabled"
            found = await call("s3", region, "get_object", **bucket, Key="history/kim.json")
            assert json.loads(found["Body"].read())["title"] == "The Long Way Round"
        url = (await call("sqs", EAST, "get_queue_url", QueueName="jobs"))["QueueUrl"]
        asked = {"QueueUrl": url, "AttributeNames": ["All"]}
        attributes = (await call("sqs", EAST, "get_queue_attributes", **asked))["Attributes"]
        assert attributes["VisibilityTimeout"] == "10"  # 20 s of a lab at twice the wall's speed
        redrive = json.loads(attributes["RedrivePolicy"])
        assert redrive["deadLetterTargetArn"].endswith(":given-up")
        (alarm,) = (await call("cloudwatch", EAST, "describe_alarms"))["MetricAlarms"]
        assert (alarm["AlarmName"], alarm["Period"]) == ("unhealthy-hosts", 10)
        assert len(made.undone) == 2 + 4 + 1 + 1
        assert ("s3 delete_bucket us-west-2", "viewing-history-us-west-2") in made.undone

    with_moto(work, speed=2)


def test_a_definition_has_its_timers_in_seconds_of_the_wall_and_knows_its_queue() -> None:
    async def work(call: Call) -> None:
        await stock(LAB, call, Noted())
        (machine,) = (await call("stepfunctions", EAST, "list_state_machines"))["stateMachines"]
        arn = {"stateMachineArn": machine["stateMachineArn"]}
        found = await call("stepfunctions", EAST, "describe_state_machine", **arn)
        whole = json.loads(found["definition"])["States"]["Encode"]
        (retry,) = whole["Retry"]
        assert (retry["IntervalSeconds"], retry["MaxDelaySeconds"]) == (1, 2)
        assert (retry["BackoffRate"], retry["MaxAttempts"]) == (1.5, 8)
        task = whole["Branches"][0]["States"]["HandOver"]
        assert task["TimeoutSeconds"] == 3
        assert task["Parameters"]["QueueUrl"].endswith("/encode-jobs")

    with_moto(work, speed=10)


def test_what_has_the_labs_tag_is_used_and_left() -> None:
    async def work(call: Call) -> None:
        await stock(LAB, call, Noted())
        again = Noted()
        await stock(LAB, call, again)
        assert again.undone == []

    with_moto(work)


def test_what_a_lab_of_another_speed_has_left_is_as_it_is_declared_now() -> None:
    async def work(call: Call) -> None:
        found: list[dict[str, Any]] = []
        for visibility, wait, periods in ((30, 5, 1), (60, 7, 2)):
            await stock(_with(visibility, wait, periods), call, Noted())
            url = (await call("sqs", EAST, "get_queue_url", QueueName="jobs"))["QueueUrl"]
            found = [
                await call(
                    "sqs", EAST, "get_queue_attributes", QueueUrl=url, AttributeNames=["All"]
                ),
                *(await call("cloudwatch", EAST, "describe_alarms"))["MetricAlarms"],
            ]
        assert found[0]["Attributes"]["VisibilityTimeout"] == "60"
        assert found[1]["EvaluationPeriods"] == 2
        (machine,) = (await call("stepfunctions", EAST, "list_state_machines"))["stateMachines"]
        arn = machine["stateMachineArn"]
        told = await call("stepfunctions", EAST, "describe_state_machine", stateMachineArn=arn)
        assert json.loads(told["definition"])["States"]["A"]["Seconds"] == 7

    with_moto(work)


def _with(visibility: int, wait: int, periods: int) -> Lab:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": wait, "End": True}}}
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "queues": ("jobs", {"visibility": visibility}),
        "pipelines": ("encode", {"definition": definition}),
        "alarms": ("unhealthy-hosts", {"periods": periods}),
    }
    update = {
        kind: {
            **getattr(LAB, kind),
            name: getattr(LAB, kind)[name].model_copy(update=changed),
        }
        for kind, (name, changed) in changes.items()
    }
    return LAB.model_copy(update=update)


THEIRS: list[tuple[str, str, dict[str, Any], str]] = [
    ("s3", "create_bucket", {"Bucket": "viewing-history-us-east-1"}, "bucket viewing-history-us"),
    ("sqs", "create_queue", {"QueueName": "jobs"}, "queue jobs"),
    (
        "stepfunctions",
        "create_state_machine",
        {
            "name": "encode",
            "definition": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
            "roleArn": "arn:aws:iam::123456789012:role/r",
        },
        "state machine encode",
    ),
    (
        "cloudwatch",
        "put_metric_alarm",
        {
            "AlarmName": "unhealthy-hosts",
            "Namespace": "N",
            "MetricName": "M",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
        },
        "alarm unhealthy-hosts",
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "what"),
    THEIRS,
    ids=lambda c: c if isinstance(c, str) else "",
)
def test_what_is_somebody_elses_is_refused(
    service: str, operation: str, params: dict[str, Any], what: str
) -> None:
    async def work(call: Call) -> None:
        await call(service, EAST, operation, **params)
        with pytest.raises(EnvironmentFailed, match=f"the {what}.* is there and not the lab's"):
            await stock(LAB, call, Noted())

    with_moto(work)


def test_a_secret_is_made_where_it_is_declared_and_what_is_somebody_elses_is_refused() -> None:
    secret = Secret(regions=(EAST, WEST), value="s3same")
    lab = LAB.model_copy(
        update={
            "buckets": {},
            "queues": {},
            "pipelines": {},
            "alarms": {},
            "secrets": {"key": secret},
        }
    )

    async def work(call: Call) -> None:
        undone: list[dict[str, Any]] = []
        made = Made(call)
        made.undo = lambda *at, **params: undone.append({"at": at, **params})  # type: ignore[method-assign]
        await stock(lab, call, made)
        for region in (EAST, WEST):
            found = await call("secretsmanager", region, "get_secret_value", SecretId="key")
            assert found["SecretString"] == "s3same"
        assert len(undone) == 2
        changed = secret.model_copy(update={"value": "other"})
        await stock(lab.model_copy(update={"secrets": {"key": changed}}), call, made)  # its own
        found = await call("secretsmanager", EAST, "get_secret_value", SecretId="key")
        assert (found["SecretString"], len(undone)) == ("other", 2)
        for step in undone:
            (service, region, operation), params = step.pop("at"), step
            await call(service, region, operation, **params)
        await call("secretsmanager", EAST, "create_secret", Name="key", SecretString="theirs")
        with pytest.raises(EnvironmentFailed, match="the secret key is there and not the lab's"):
            await stock(lab, call, made)

    with_moto(work)
