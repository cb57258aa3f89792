"""All pages of an answer, whatever the operation calls the place where the next one begins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chaos.levers.paging import every


@pytest.mark.parametrize(
    ("service", "operation", "said", "wanted"),
    [
        ("ec2", "describe_subnets", "NextToken", "NextToken"),
        ("rds", "describe_db_clusters", "Marker", "Marker"),
        ("dynamodb", "list_tables", "LastEvaluatedTableName", "ExclusiveStartTableName"),
        ("s3", "list_buckets", "ContinuationToken", "ContinuationToken"),
    ],
)
def test_every_page_is_read(service: str, operation: str, said: str, wanted: str) -> None:
    pages = {None: ([1, 2], "b"), "b": ([3], "c"), "c": ([], "d"), "d": ([4], None)}

    async def call(*_: str, Filters: Any, **more: str) -> dict[str, Any]:  # noqa: N803  # boto3's
        assert Filters == ["kept"]
        found, following = pages[more.get(wanted)]
        return {"Found": found, **({said: following} if following else {})}

    found = asyncio.run(every(call, service, "r", operation, "Found", Filters=["kept"]))
    assert found == [1, 2, 3, 4]
