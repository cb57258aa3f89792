"""The AWS API proxy in a thread of its own, for clients that block."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config

from chaos.loops import run_fast
from chaos.proxies.aws_api import ApiProxy

SESSION = boto3.session.Session("test", "test", region_name="us-east-1")
READY_S = 30.0


@contextmanager
def proxied(upstream: tuple[str, int]) -> Iterator[tuple[ApiProxy, int]]:
    """A proxy before `upstream` and its port; at the end it must have seen requests."""
    proxy, ready = ApiProxy(upstream), threading.Event()
    stop: list[Any] = []
    ports: list[int] = []

    async def serve() -> None:
        over = asyncio.Event()
        stop.append(asyncio.get_running_loop())
        stop.append(over.set)
        ports.append(await proxy.start())
        ready.set()
        await over.wait()
        await proxy.stop()

    thread = threading.Thread(target=lambda: run_fast(serve()))
    thread.start()
    assert ready.wait(READY_S)
    try:
        yield proxy, ports[0]
    finally:
        stop[0].call_soon_threadsafe(stop[1])
        thread.join(READY_S)
    assert proxy.requests > 0


def client_of(service: str, endpoint: str, **config: Any) -> Any:
    """A boto3 client that tries once."""
    settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}} | config
    return SESSION.client(  # type: ignore[call-overload]  # the service is a variable
        service, endpoint_url=endpoint, config=Config(**settings)
    )


@contextmanager
def names_at_home(domain: str) -> Iterator[None]:
    """Every name under the domain is this machine."""
    ask = socket.getaddrinfo

    def at_home(host: Any, *rest: Any, **named: Any) -> Any:
        ours = isinstance(host, str) and host.endswith(domain)
        return ask("127.0.0.1" if ours else host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", at_home)
        yield
