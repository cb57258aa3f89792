"""Metrics of a run that has ended, pushed to a Prometheus Pushgateway: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from prometheus_client import CollectorRegistry, push_to_gateway
from prometheus_client.exposition import basic_auth_handler, default_handler

from chaos import urls
from chaos.errors import NotSent

JOB = "chaos"
# Of the wall, for each step on the way: the run has ended, and somebody waits for its verdict.
TIMEOUT_S = 10.0
LONGEST = 200  # characters of what a gateway says


def checked(url: str) -> str:
    """The URL of a gateway; raises InvalidInput."""
    return urls.checked(
        url, "a Pushgateway", "http://host:9091, or with USER:PASSWORD@ before the host"
    )


def push(url: str, registry: CollectorRegistry, group: dict[str, str]) -> None:
    """Put them in place of those that the group has there; raises NotSent.

    `url` may have a user and a password. The group is known by the label `job`, which is `chaos`,
    and by these.
    """
    parts = urlsplit(url)
    gateway = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    user, password = (unquote(part or "") for part in (parts.username, parts.password))

    def handler(**request: Any) -> Callable[[], None]:
        if user or password:
            return basic_auth_handler(**request, username=user, password=password)
        return default_handler(**request)

    try:
        push_to_gateway(
            gateway,
            job=JOB,
            registry=registry,
            grouping_key=group,
            timeout=TIMEOUT_S,
            handler=handler,
        )
    # A name that no host can have is a ValueError.
    except (OSError, HTTPException, ValueError) as error:
        raise NotSent(f"the metrics were not pushed to {gateway}: {_why(error)}") from error


def _why(error: Exception) -> str:
    if isinstance(error, HTTPError):
        said = error.read(4 * LONGEST).decode("utf-8", "replace").split("\n")[0][:LONGEST].strip()
        return f"status {error.code}{': ' if said else ''}{said}"
    if isinstance(error, URLError):
        error = error.reason if isinstance(error.reason, Exception) else error
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
