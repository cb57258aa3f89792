"""What is known of the AWS API without asking: names of regions, and operations that only read."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d+$")]

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
