"""What is known of the AWS API without asking: names of regions, and operations that only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """An operation of the AWS API that a probe calls, in boto3's names.

    `resource` is the ARN of what it is done to, or a pattern of such, in the partition `aws` and
    with `*` for an account that is not known; `*` alone where the operation knows no resources.
    """

    service: str
    region: str
    operation: str
    resource: str = "*"


# Settings of a probe that go for names which it resolves itself; boto3 does that on its own.
NO_NAMES = dict.fromkeys(
    ("dns_cache", "family"),
    "boto3 finds the service itself",
)

READ_PREFIXES = ("batch_get_", "describe_", "get_", "head_", "list_", "lookup_", "search_")
ALSO_READ = {"filter_log_events", "query", "scan", "test_dns_answer", "transact_get_items"}
# Named as if they read: these make something, and the last two are no operations at all.
DO_NOT_READ = {
    "get_id",  # of Cognito: makes an identity
    "get_open_id_token_for_developer_identity",
    "get_scaling_configuration_recommendation",  # of SageMaker: starts a job
    "get_paginator",
    "get_waiter",
}


def reads(operation: str) -> bool:
    """Whether the operation, named as boto3 names its methods, changes nothing."""
    by_name = operation in ALSO_READ or operation.startswith(READ_PREFIXES)
    return by_name and operation not in DO_NOT_READ
