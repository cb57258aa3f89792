"""boto3's traffic to LocalStack passes the AWS API proxy unharmed."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import s3_traffic
from proxied import client_of, proxied

BUCKET = "pass-through"


@pytest.fixture(scope="module")
def port(localstack: str) -> Iterator[int]:
    there = urlsplit(localstack)
    with proxied((there.hostname or "", there.port or 80)) as (_, port):
        s3 = client_of("s3", f"http://127.0.0.1:{port}")
        s3.create_bucket(Bucket=BUCKET)
        yield port
        for kept in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=kept["Key"])
        s3.delete_bucket(Bucket=BUCKET)


@pytest.mark.parametrize("kind", s3_traffic.TRAFFIC)
def test_traffic(port: int, kind: str) -> None:
    s3_traffic.TRAFFIC[kind](port, f"http://127.0.0.1:{port}", BUCKET)
