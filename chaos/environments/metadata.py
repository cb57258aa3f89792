"""What the place where this process runs tells of itself: the metadata services of EC2 and ECS.

Each blocks, for a few seconds at most, and goes past no proxy.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

EC2 = {"ipv4": "http://169.254.169.254", "ipv6": "http://[fd00:ec2::254]"}
WITHIN_S = 1.0  # it is on this very host, and answers in milliseconds
ATTEMPTS = 3
LARGEST = 2**20
TOKEN_LASTS_S = 60
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ec2(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`instance`, `subnet`, `zone`, `region` of this instance, by IMDSv2; raises OSError."""
    mode = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv4").lower()
    service = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or EC2.get(mode, EC2["ipv4"])
    latest = f"{service.rstrip('/')}/latest"
    lasts = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_LASTS_S)}
    token = {"X-aws-ec2-metadata-token": _ask(f"{latest}/api/token", "PUT", lasts)}
    own = _json(_ask(f"{latest}/dynamic/instance-identity/document", "GET", token))
    mac = _ask(f"{latest}/meta-data/mac", "GET", token)
    subnet = _ask(f"{latest}/meta-data/network/interfaces/macs/{mac}/subnet-id", "GET", token)
    names = {"instance": "instanceId", "zone": "availabilityZone", "region": "region"}
    return {**{name: str(own[there]) for name, there in names.items()}, "subnet": subnet}


def ecs(url: str) -> dict[str, Any]:
    """The container and its task, by version 4 of ECS' service; raises OSError."""
    return {"container": _json(_ask(url, "GET", {})), "task": _json(_ask(f"{url}/task", "GET", {}))}


def _ask(url: str, method: str, headers: Mapping[str, str]) -> str:
    request = urllib.request.Request(url, method=method, headers=dict(headers))  # noqa: S310  # by the surroundings
    for attempt in range(ATTEMPTS):
        try:
            with DIRECT.open(request, timeout=WITHIN_S) as answer:
                return str(answer.read(LARGEST).decode().strip())
        except (OSError, ValueError, HTTPException) as error:
            if attempt == ATTEMPTS - 1:
                raise OSError(f"{url} does not answer: {error}") from error
    raise AssertionError("there is at least one attempt")


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise OSError("the metadata service does not answer in JSON") from error
    if not isinstance(found, dict):
        raise OSError("the metadata service does not answer with what it should")
    return found
