"""Which writes are copied: those of all regions, of the first one, or none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.lab import dynamodb_replication
from chaos.lab.resources import Bucket, Table
from chaos.lab.s3_replication import Buckets
from chaos.proxies.request import ApiRequest

EAST, WEST = "us-east-1", "us-west-2"
WAYS = [("both", [EAST, WEST]), ("one-way", [EAST]), ("off", [])]


async def call(*_: Any, **__: Any) -> dict[str, Any]:
    raise AssertionError("nothing is to be copied here")


@pytest.mark.parametrize(("replication", "sources"), WAYS)
def test_of_a_table(replication: Any, sources: list[str]) -> None:
    table = Table(key="id", sort_key="at", regions=(EAST, WEST), replication=replication)
    tables = dynamodb_replication.Tables(
        [
            dynamodb_replication.Table(
                name="t", key=("id",), regions=table.regions, sources=table.sources, lag=1
            )
        ],
        call,
    )
    body = json.dumps({"TableName": "t", "Item": {"id": {"S": "1"}}}).encode()
    found = {
        region: tables.writes(
            ApiRequest(region=region, service="dynamodb", operation="PutItem"), body
        )
        for region in (EAST, WEST)
    }
    assert [region for region, writes in found.items() if writes] == sources
    assert all(set(write.regions) == {EAST, WEST} for ws in found.values() for write in ws)


@pytest.mark.parametrize(("replication", "sources"), WAYS)
def test_of_a_bucket(replication: Any, sources: list[str]) -> None:
    bucket = Bucket(regions=(EAST, WEST), replication=replication)
    buckets = Buckets({"b": bucket}, call)
    found = [
        region
        for region in (EAST, WEST)
        if buckets.writes(
            ApiRequest(
                region=region,
                service="s3",
                operation="PutObject",
                method="PUT",
                path=f"/b-{region}/k",
            ),
            b"",
        )
    ]
    assert found == sources


def test_a_bucket_that_replicates_nothing_need_not_be_versioned() -> None:
    assert not Bucket(regions=(EAST, WEST), replication="off").replicated
    assert Bucket(regions=(EAST, WEST), replication="one-way").replicated
