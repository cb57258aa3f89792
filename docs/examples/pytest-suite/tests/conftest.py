"""Faults for one test: `with aws_fault(service="sqs"): …`, by LocalStack's chaos API."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

Fault = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def aws_fault() -> Fault:
    """Sets a fault of LocalStack's chaos API for the length of a block."""
    url = os.environ["CHAOS_PROXY_URL"] + "/_localstack/chaos/faults"

    def change(method: str, rule: dict[str, Any]) -> None:
        body = json.dumps([rule]).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310  # ours
        urllib.request.urlopen(request).close()  # noqa: S310  # as above

    @contextlib.contextmanager
    def fault(**rule: Any) -> Iterator[None]:
        change("PATCH", rule)
        try:
            yield
        finally:
            change("DELETE", rule)

    return fault
