"""Programs that call AWS through a proxy: they run in a thread, the proxy on the test's loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from upstreams import run

from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.request import ApiRequest
from chaos.proxies.rules import Rules

Put = Callable[[str, Any], None]


def through(upstream: tuple[str, int], use: Callable[[str, Put], object]) -> list[ApiRequest]:
    """What a proxy before `upstream` has seen while `use` had its endpoint and a way to put rules.

    Calls that a rule answers never get upstream, so they are not among those that were seen.
    """
    seen: list[ApiRequest] = []

    async def test() -> None:
        loop = asyncio.get_running_loop()
        proxy = ApiProxy(upstream, Rules(), lambda request, _body, _status: seen.append(request))
        port = await proxy.start()

        def put(id_: str, rule: Any) -> None:
            async def work() -> None:
                proxy.rules.put(id_, rule)

            asyncio.run_coroutine_threadsafe(work(), loop).result(30)

        try:
            await asyncio.to_thread(use, f"http://127.0.0.1:{port}", put)
        finally:
            await proxy.stop()

    run(test())
    return seen


def as_an_app(endpoint: str) -> dict[str, str]:
    """The environment that tells any SDK where AWS is."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }
