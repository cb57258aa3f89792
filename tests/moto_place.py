"""An account in moto as levers and faults meet it, for tests that need no drill around them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, cast

from chaos.environments.calls import AwsCalls
from chaos.environments.environment import Environment

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class MotoPlace:
    """It calls moto. `answers` stand in for what moto does not do, by service and operation."""

    kind = "aws"
    stale_s = 0.0

    def __init__(self, endpoint: str) -> None:
        self.calls = AwsCalls(endpoint, key=("test", "test"), attempts=2, timeout_s=20)
        self.answers: dict[tuple[str, str], Answer] = {}

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        if instead := self.answers.get((service, operation)):
            return instead(params)
        return await self.calls.call(service, region, operation, **params)

    def at(self, _account: str | None) -> Self:
        return self

    async def ended(self) -> str:
        return await asyncio.Future()

    def close(self) -> None:
        self.calls.close()


@contextmanager
def moto_place(endpoint: str) -> Iterator[Environment]:
    """One to be used with `with`; what is asked of an environment and not here is not needed."""
    place = MotoPlace(endpoint)
    try:
        yield cast("Environment", place)
    finally:
        place.close()
