"""boto3's traffic passes the AWS API proxy unharmed, with no rule and with others' rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import s3_traffic
from proxied import client_of, proxied
from upstreams import moto_server

BUCKET = "pass-through"


@pytest.fixture(scope="module", params=["no rule", "other rules"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    with moto_server() as address, proxied(address) as (proxy, port):
        if request.param == "other rules":
            proxy.rules.put("r", {"action": "hang", "regions": ["eu-west-1"]})
        client_of("s3", f"http://127.0.0.1:{port}").create_bucket(Bucket=BUCKET)
        yield port


@pytest.mark.parametrize("kind", s3_traffic.TRAFFIC)
def test_traffic(port: int, kind: str) -> None:
    s3_traffic.TRAFFIC[kind](port, f"http://127.0.0.1:{port}", BUCKET)
