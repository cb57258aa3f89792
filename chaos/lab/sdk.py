"""The AWS SDK as the lab's apps use it: one client for each service, and one attempt for each call.

Apps are the workload, not the tool: their calls go through the door where faults apply.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from chaos.lab.instances import Instance


class Lacking(Exception):
    """What a call needs could not be had; the message says what and why."""


# What a call of the SDK can raise, and what was to come before it.
FAILURES = (BotoCoreError, ClientError, Lacking)


@functools.cache
def _session() -> Any:
    """One for the process: what it has read of botocore's data serves the forks too."""
    return boto3.session.Session("lab", "lab")


def prepare(*services: str) -> None:
    """Read botocore's description of these services, which the forks then have in memory."""
    for service in services:
        _session().client(service, region_name="us-east-1")


def client(instance: Instance, service: str, region: str | None = None) -> Any:
    """For the instance's own region or another; `aws_timeout` bounds each call."""
    timeout = instance.service.aws_timeout / instance.speed
    key, secret = instance.key
    return _session().client(
        service,
        region_name=region or instance.region,
        endpoint_url=instance.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"total_max_attempts": 1},
            max_pool_connections=32,
        ),
    )


def absent(error: Exception) -> bool:
    """Whether a call failed because there is no such object."""
    return _code(error) in ("NoSuchKey", "404")


def overtaken(error: Exception) -> bool:
    """Whether a write was refused because what it was to replace has changed."""
    return _code(error) == "ConditionalCheckFailedException"


def over(error: Exception) -> bool:
    """Whether a call failed because nobody waits for the task any more."""
    return _code(error) in ("InvalidToken", "TaskDoesNotExist", "TaskTimedOut")


def _code(error: Exception) -> str:
    found = error.response.get("Error", {}) if isinstance(error, ClientError) else {}
    return str(found.get("Code", ""))
