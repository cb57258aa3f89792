"""All pages of what AWS lists: some operations have words of their own for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Call = Callable[..., Awaitable[dict[str, Any]]]

# By operation: where an answer says that there is more, and how the next call says where to begin.
TOKENS = {
    "describe_db_clusters": ("Marker", "Marker"),
    "describe_db_instances": ("Marker", "Marker"),
    "describe_replication_groups": ("Marker", "Marker"),
    "list_buckets": ("ContinuationToken", "ContinuationToken"),
    "list_tables": ("LastEvaluatedTableName", "ExclusiveStartTableName"),
}


async def every(
    call: Call, service: str, region: str, operation: str, key: str, **params: Any
) -> list[Any]:
    """What all pages of the answer have under `key`; raises CallFailed."""
    said, wanted = TOKENS.get(operation, ("NextToken", "NextToken"))
    found: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = await call(service, region, operation, **params, **more)
        found += page.get(key, [])
        if not page.get(said):
            return found
        more = {wanted: page[said]}
