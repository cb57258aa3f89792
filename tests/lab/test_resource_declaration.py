"""Buckets, queues, pipelines and alarms: what fits the rest, and every way in which it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chaos import schema
from chaos.lab.declaration import Lab

SYSTEMS = Path(__file__).parents[2] / "chaos" / "lab" / "systems"

Change = Callable[[dict[str, Any]], object]


def declared(system: str) -> dict[str, Any]:
    return schema.load(SYSTEMS / f"{system}.yaml", Lab).model_dump(mode="json")


WRONG: list[tuple[str, Change, tuple[object, ...], str]] = [
    (
        "streaming-s3",
        lambda lab: lab["buckets"]["viewing-history"].update(versioned=False),
        ("buckets", "viewing-history", "versioned"),
        "S3 replicates only buckets that are versioned",
    ),
    (
        "streaming-s3",
        lambda lab: lab["buckets"]["viewing-history"].update(regions=["us-east-1", "us-west-1"]),
        ("buckets", "viewing-history", "regions", 1),
        "no region 'us-west-1' in this lab; did you mean us-west-2?",
    ),
    (
        "streaming-s3",
        lambda lab: lab["buckets"]["viewing-history"].update(regions=["us-east-1"]),
        ("services", "playback", "bucket"),
        "viewing-history has no replica in us-west-2",
    ),
    (
        "streaming-s3",
        lambda lab: lab["services"]["playback"].update(bucket=None),
        ("services", "playback", "elsewhere"),
        "is for a bucket, whose replica in another region is read",
    ),
    (
        "streaming-s3",
        lambda lab: lab["alarms"]["unhealthy-hosts"].update(period="20s"),
        ("alarms", "unhealthy-hosts", "period"),
        "is 10s, 30s or a multiple of 60s, as CloudWatch wants it",
    ),
    (
        "streaming-s3",
        lambda lab: lab["alarms"]["unhealthy-hosts"].update(bad_periods=2),
        ("alarms", "unhealthy-hosts", "bad_periods"),
        "is at most 'periods', of which they are a part",
    ),
    (
        "streaming-s3",
        lambda lab: lab["alarms"]["unhealthy-hosts"].update(region="us-east-2"),
        ("alarms", "unhealthy-hosts", "region"),
        "no region 'us-east-2' in this lab; did you mean us-west-2?",
    ),
    (
        "streaming-s3",
        lambda lab: lab["services"]["playback"].update(secret={"name": "passwort"}),
        ("services", "playback", "secret", "name"),
        "no secret 'passwort' in this lab; there is none",
    ),
    (
        "streaming-s3",
        lambda lab: (
            lab["services"]["playback"].update(secret={"name": "password"}),
            lab.update(secrets={"password": {"regions": ["us-east-1"]}}),
        ),
        ("services", "playback", "secret", "region"),
        "password has no replica in us-west-2",
    ),
    (
        "streaming-s3",
        lambda lab: lab.update(secrets={"password": {"regions": ["us-east-1", "us-east-1"]}}),
        ("secrets", "password", "regions"),
        "a region is listed twice",
    ),
    (
        "queue",
        lambda lab: lab["services"]["worker"].update(passes_to="jobs"),
        ("services", "worker", "passes_to"),
        "is the queue that the messages come from",
    ),
    (
        "queue",
        lambda lab: lab["services"]["worker"].update(queue="job"),
        ("services", "worker", "queue"),
        "no queue 'job' in this lab; did you mean jobs?",
    ),
    (
        "queue",
        lambda lab: lab["services"]["worker"].update(bucket="b"),
        ("services", "worker", "bucket"),
        "is for the apps encoder, playback; worker makes no use of it",
    ),
    (
        "queue",
        lambda lab: lab["queues"]["jobs"].update(dead_letters="given"),
        ("queues", "jobs", "dead_letters"),
        "no queue 'given' in this lab; did you mean given-up?",
    ),
    (
        "queue",
        lambda lab: lab["queues"]["jobs"].update(dead_letters="jobs"),
        ("queues", "jobs", "dead_letters"),
        "a queue cannot be its own",
    ),
    (
        "queue",
        lambda lab: lab["queues"]["given-up"].update(dead_letters="done"),
        ("queues", "jobs", "dead_letters"),
        "given-up has one itself",
    ),
    (
        "queue",
        lambda lab: (
            lab["regions"].update({"us-west-2": ["us-west-2a"]}),
            lab["queues"]["given-up"].update(region="us-west-2"),
        ),
        ("queues", "jobs", "dead_letters"),
        "SQS wants both in one region, us-east-1",
    ),
    (
        "pipeline",
        lambda lab: lab["pipelines"]["encode"]["definition"].pop("StartAt"),
        ("pipelines", "encode", "definition"),
        "has no StartAt, which every state machine has",
    ),
    (
        "pipeline",
        lambda lab: lab["queues"].update({"other": lab["queues"].pop("encode-jobs")}),
        ("pipelines", "encode", "definition"),
        "no queue 'encode-jobs' in this lab; there is other",
    ),
]


@pytest.mark.parametrize(
    ("system", "change", "place", "sentence"), WRONG, ids=lambda c: str(c)[:60]
)
def test_what_does_not_fit_is_told_with_its_place(
    system: str, change: Change, place: tuple[object, ...], sentence: str
) -> None:
    lab = declared(system)
    change(lab)
    with pytest.raises(ValidationError) as refused:
        Lab.model_validate(lab)
    assert (place, sentence) in [(e["loc"], e["msg"]) for e in refused.value.errors()]


@pytest.mark.parametrize(
    ("system", "services"),
    [
        ("homepage", set()),
        ("pipeline", {"s3", "sqs", "stepfunctions"}),
        ("queue", {"sqs"}),
        ("streaming", {"autoscaling", "dynamodb"}),
        ("streaming-s3", {"autoscaling", "cloudwatch", "s3"}),
    ],
)
def test_a_lab_knows_which_services_of_aws_it_is_made_of(system: str, services: set[str]) -> None:
    lab = Lab.model_validate(declared(system))
    assert lab.aws_services() == {"ec2", "route53", *services}


@pytest.mark.parametrize("system", ["pipeline", "queue", "streaming-s3"])
def test_a_declaration_survives_the_way_to_the_labs_process(system: str) -> None:
    lab = schema.load(SYSTEMS / f"{system}.yaml", Lab)
    assert Lab.model_validate_json(lab.model_dump_json()) == lab
