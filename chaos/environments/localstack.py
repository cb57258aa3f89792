"""Finding a LocalStack that somebody runs, or an emulator that answers like it.

Never AWS itself, and only this machine, unless another one was named for this very purpose.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from chaos.environments.account import is_aws
from chaos.environments.calls import AwsCalls
from chaos.environments.http_get import get
from chaos.errors import CallFailed, EnvironmentFailed, InvalidInput
from chaos.loops import speed_of

DEFAULT = "http://127.0.0.1:4566"
KEY = ("test", "test")  # any that has not 12 digits is LocalStack's account 000000000000
ANSWER_WITHIN_S = 5.0  # seconds of the wall; a busy LocalStack answers in tenths of one
HOW_TO_START = (
    "start one with `localstack/start` (no Docker), or `docker compose -f localstack/compose.yaml"
    " up -d`, or say where it is: --endpoint URL, or LOCALSTACK_ENDPOINT"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An emulator that answers, and what it says of itself.

    `session` is another one at each of its starts; empty when it does not tell. Only with a licence
    can it keep what it holds from one start to the next. `services` are those that it lists, by
    the names that it has for them, which are nearly always boto3's.
    """

    endpoint: str
    address: tuple[str, int]
    version: str = ""
    session: str = ""
    licensed: bool = False
    services: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        what = f"LocalStack {self.version}" if self.version else "the emulator"
        return f"{what} at {self.endpoint}"

    @property
    def url(self) -> str:
        """The endpoint with the address that answered in the place of a name."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def find(endpoint: str | None = None) -> Found:
    """As `look`, for whoever has no loop."""
    return asyncio.run(look(endpoint))


async def look(endpoint: str | None = None) -> Found:
    """The emulator at the endpoint given, or else at the one configured, or else at port 4566.

    Raises EnvironmentFailed with what to do when it is not there, and InvalidInput for an endpoint
    that is none.
    """
    source, url = _where(endpoint, os.environ)
    address = await _address(source, _checked(source, url))
    health = await _ask(url, address, "/_localstack/health")
    if health is None:
        await asyncio.to_thread(_ask_sts, url)
        return Found(endpoint=url, address=address)
    info = await _ask(url, address, "/_localstack/info") or {}
    services = health.get("services")
    on = services.items() if isinstance(services, dict) else ()
    return Found(
        endpoint=url,
        address=address,
        version=str(health.get("version", "")),
        session=str(info.get("session_id", "")),
        licensed=bool(info.get("is_license_activated")),
        services=frozenset(name for name, state in on if state not in ("disabled", "error")),
    )


def _where(endpoint: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """Who names it, and its URL."""
    if endpoint is not None:
        return "--endpoint", endpoint.rstrip("/")
    for name in ("LOCALSTACK_ENDPOINT", "AWS_ENDPOINT_URL"):
        if environ.get(name):
            return name, environ[name].rstrip("/")
    return "", DEFAULT


def _checked(source: str, url: str) -> SplitResult:
    """The parts of a URL that may be an emulator's; raises InvalidInput."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInput(f"{source} is no URL: {url!r}: {error}") from error
    if "@" in parts.netloc:
        raise InvalidInput(f"{source} has a name or a password in it, which no emulator asks for")
    if parts.scheme not in ("http", "https") or not host or parts.path or parts.query:
        raise InvalidInput(f"{source} is no endpoint: {url!r}; write it as {DEFAULT}")
    if is_aws(host):
        raise InvalidInput(
            f"{source} names AWS itself ({host}), and this environment is for emulators alone"
        )
    if parts.scheme == "https":
        raise InvalidInput(
            f"{source}: {url}: the lab speaks plain HTTP to an emulator; LocalStack answers it at"
            f" the same port: http://{parts.netloc}"
        )
    return parts


async def _address(source: str, parts: SplitResult) -> tuple[str, int]:
    """Where the host is; another machine only where it was named for an emulator."""
    host, port = parts.hostname or "", parts.port or 80
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S * speed_of(loop)):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise EnvironmentFailed(
            f"{source}: the host {host} cannot be found; {HOW_TO_START}"
        ) from error
    # LocalStack is told to listen on IPv4 nearly everywhere, whatever `localhost` means first.
    _, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    ip = str(address[0])
    if source == "AWS_ENDPOINT_URL" and not ipaddress.ip_address(ip).is_loopback:
        raise EnvironmentFailed(
            f"AWS_ENDPOINT_URL names another machine ({host}); if that is a LocalStack to break"
            f" things in, say so: --endpoint {parts.geturl()}"
        )
    return ip, port


async def _ask(url: str, address: tuple[str, int], path: str) -> dict[str, Any] | None:
    """What it answers there; None when it has no such page. Raises EnvironmentFailed."""
    try:
        status, body = await get(address, path, ANSWER_WITHIN_S)
    except TimeoutError as error:
        raise EnvironmentFailed(
            f"LocalStack at {url} does not answer within {ANSWER_WITHIN_S:g} s; look at its log,"
            " or start it anew"
        ) from error
    except OSError as error:
        raise EnvironmentFailed(f"no LocalStack answers at {url}; {HOW_TO_START}") from error
    if status in (401, 403):
        raise EnvironmentFailed(
            f"LocalStack at {url} refuses us (HTTP {status}): start it with a LOCALSTACK_AUTH_TOKEN"
            " that is valid, which localstack/start and compose.yaml pass on"
        )
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if status == 200 and isinstance(answer, dict) else None


def _ask_sts(url: str) -> None:
    """Whether it is an endpoint of the AWS API at all; raises EnvironmentFailed."""
    calls = AwsCalls(url, key=KEY, timeout_s=ANSWER_WITHIN_S)
    try:
        calls.call_now("sts", "us-east-1", "get_caller_identity")
    except CallFailed as error:
        raise EnvironmentFailed(
            f"what answers at {url} is neither LocalStack nor an emulator of the AWS API"
            f" ({error.code}); {HOW_TO_START}"
        ) from error
    finally:
        calls.close()
