"""Real AWS accounts, or whatever answers for them at an endpoint that was given."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from typing import Any, Self

from chaos.environments.calls import AwsCalls
from probes.names import Names
from probes.net import Net
from probes.probe import Probe

STALE_S = 10.0  # EC2's reads agree with its writes after a few seconds


class OnAws:
    """One account, reached with the credentials of the surroundings."""

    kind = "aws"

    def __init__(self, endpoint: str | None = None, *, stale_s: float = STALE_S) -> None:
        self._endpoint = endpoint
        self._stale_s = stale_s
        self._operator = AwsCalls(endpoint, attempts=5, timeout_s=20)
        self._doors: list[AwsCalls] = []

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation of the AWS API."""
        return await self._operator.call(service, region, operation, **params)

    def net(self, probe: Probe) -> Net:
        """The network as this machine sees it."""
        threads = min(64, math.ceil(probe.timeout / probe.every) + 2)
        door = AwsCalls(self._endpoint, timeout_s=probe.timeout, threads=threads)
        self._doors.append(door)
        return Net(names=Names(cache=probe.dns_cache, family=probe.family), aws=door.call)

    async def ended(self) -> str:
        """AWS does not."""
        return await asyncio.Future()

    def at(self, _account: str | None) -> Self:
        """There is one."""
        return self

    @property
    def stale_s(self) -> float:
        """AWS is eventually consistent."""
        return self._stale_s

    def describe(self) -> dict[str, Any]:
        """Where it is."""
        return {"kind": self.kind, "endpoint": self._endpoint}

    def close(self) -> None:
        """Give the threads back."""
        for door in (self._operator, *self._doors):
            door.close()


@contextlib.asynccontextmanager
async def start(endpoint: str | None) -> AsyncIterator[OnAws]:
    """Reach for it."""
    environment = OnAws(endpoint)
    try:
        yield environment
    finally:
        environment.close()
