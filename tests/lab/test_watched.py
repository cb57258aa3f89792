"""What profiles have watched, kept in a bucket: of the own region, and elsewhere if asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.lab import sdk
from chaos.lab.instances import Instance
from chaos.lab.resources import Bucket, bucket_in
from chaos.lab.services import Service
from chaos.lab.watched import history

EAST, WEST = "us-east-1", "us-west-2"
BUCKET = Bucket(regions=(EAST, WEST))
KIM = {"title": "Night Shift", "position": "01:12:30"}
NOTHING = {"title": "", "position": ""}


@pytest.fixture
def aws() -> Iterator[AwsCalls]:
    with moto_server() as (_, port):
        calls = AwsCalls(f"http://127.0.0.1:{port}", key=("lab", "lab"), timeout_s=30)
        calls.call_now("s3", EAST, "create_bucket", Bucket=bucket_in(EAST, "history"))
        where = {"CreateBucketConfiguration": {"LocationConstraint": WEST}}
        calls.call_now("s3", WEST, "create_bucket", Bucket=bucket_in(WEST, "history"), **where)
        yield calls
        calls.close()


def instance(aws: AwsCalls, region: str, **service: Any) -> Instance:
    given = {"app": "playback", "bucket": "history", "aws_timeout": 20, **service}
    return Instance(
        id="i-1",
        region=region,
        zone=f"{region}a",
        service=Service.model_validate(given),
        table=None,
        address="127.1.1.10",
        socket="",
        port=80,
        dns=("127.0.0.1", 53),
        endpoint=aws.endpoint("s3", region),
        key=("lab-playback", "lab"),
        speed=1,
        bucket=BUCKET,
    )


def test_what_was_written_is_read_in_the_same_region_only(aws: AwsCalls) -> None:
    history(instance(aws, EAST)).write("kim/ä", **KIM)
    assert history(instance(aws, EAST)).read("kim/ä") == KIM
    assert history(instance(aws, WEST)).read("kim/ä") == NOTHING


def test_elsewhere_is_asked_for_what_is_missing_here(aws: AwsCalls) -> None:
    history(instance(aws, WEST)).write("kim", **KIM)
    assert history(instance(aws, EAST, elsewhere=True)).read("kim") == KIM
    history(instance(aws, EAST)).write("kim", title="Here", position="0")
    assert history(instance(aws, EAST, elsewhere=True)).read("kim")["title"] == "Here"
    assert history(instance(aws, EAST, elsewhere=True)).read("sam") == NOTHING


def test_a_bucket_that_fails_is_no_profile_that_never_watched(aws: AwsCalls) -> None:
    aws.call_now("s3", EAST, "delete_bucket", Bucket=bucket_in(EAST, "history"))
    with pytest.raises(sdk.FAILURES):
        history(instance(aws, EAST, elsewhere=True)).read("kim")
