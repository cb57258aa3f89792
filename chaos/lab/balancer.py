"""A load balancer of one service in one region: real health checks, round robin over the zones.

It balances connections, not requests (as a Network Load Balancer does), checks as an Application
Load Balancer does, and like both it fails open unless it is told not to: with no healthy target,
all are used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chaos.lab.addresses import Address, Connect
from chaos.lab.chance import CHANCE
from chaos.lab.gates import Gate
from chaos.lab.hosts import Host
from chaos.lab.relay import Relay
from chaos.lab.services import Balancer as Declared

# Of the lab: when a target that does not take a connection is given up, as ALB does.
CONNECT_WITHIN_S = 10.0
LONGEST_LINE = 1024


class HealthCheck(asyncio.Protocol):
    """One request for the health page; only status 200 is good, which is ALB's default matcher."""

    def __init__(self, path: str, host: str) -> None:
        self.passed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a stream's always is
        self._transport = transport
        transport.write(self._request.encode())

    def data_received(self, data: bytes) -> None:
        self._head += data
        if b"\r\n" in self._head or len(self._head) > LONGEST_LINE:
            self._tell(passed=self._head.split(b" ", 2)[1:2] == [b"200"])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the base's name
        self._tell(passed=False)

    def close(self) -> None:
        """Done with it, answered or not."""
        if self._transport is not None:
            self._transport.abort()

    def _tell(self, *, passed: bool) -> None:
        if not self.passed.done():
            self.passed.set_result(passed)


class Target:
    """A host, and what the checks say of it: None is not known yet."""

    def __init__(self, host: Host, wanted: Declared) -> None:
        self.host = host
        self.healthy: bool | None = None
        self.turned_healthy = asyncio.Event()  # once at least
        self._wanted = wanted
        self._contradicted = 0  # by how many results in a row
        self._checking = asyncio.create_task(self._check_forever())

    async def close(self) -> None:
        """Check no more."""
        self._checking.cancel()
        await asyncio.gather(self._checking, return_exceptions=True)

    def count(self, *, passed: bool) -> None:
        """A new target's first result decides; then it takes as many in a row as declared."""
        needed = self._wanted.healthy if passed else self._wanted.unhealthy
        self._contradicted += 1
        if self.healthy in (None, passed) or self._contradicted >= needed:
            self.healthy, self._contradicted = passed, 0
        if self.healthy:
            self.turned_healthy.set()

    async def _check_forever(self) -> None:
        loop = asyncio.get_running_loop()
        early = self._wanted.interval * CHANCE.phase(f"target {self.host.ip}")
        while True:
            due, early = loop.time() + self._wanted.interval - early, 0.0
            self.count(passed=await self._check())
            await asyncio.sleep(due - loop.time())

    async def _check(self) -> bool:
        check = None
        try:
            async with asyncio.timeout(self._wanted.timeout):
                check = await self.host.connect(
                    lambda: HealthCheck(self._wanted.path, self.host.ip)
                )
                return await check.passed
        except OSError:  # TimeoutError is one
            return False
        finally:
            if check is not None:
                check.close()


class Balancer:
    """The address, and the targets behind it by theirs."""

    def __init__(
        self, service: str, region: str, wanted: Declared, listen: Callable[[Connect], Address]
    ) -> None:
        self.service = service
        self.region = region
        self._wanted = wanted
        self._targets: dict[str, Target] = {}
        self._turn = 0
        self.address = listen(self._connect)

    def add(self, host: Host) -> None:
        """Register a target, if it is none yet."""
        if host.ip not in self._targets:
            self._targets[host.ip] = Target(host, self._wanted)

    async def all_healthy(self) -> None:
        """Return when every target that it has now is healthy; the caller bounds it."""
        for target in [*self._targets.values()]:
            await target.turned_healthy.wait()

    async def remove(self, host: Host) -> None:
        """Deregister a target; its connections stand as long as it does."""
        if target := self._targets.pop(host.ip, None):
            await target.close()

    def describe(self) -> dict[str, Any]:
        """As JSON; a target that is not checked yet is not healthy."""
        return {
            "service": self.service,
            "region": self.region,
            "address": self.address.ip,
            "targets": {ip: target.healthy is True for ip, target in self._targets.items()},
        }

    async def close(self) -> None:
        """Give the address back."""
        for target in self._targets.values():
            await target.close()
        await self.address.close()

    async def _connect(self, relay: Relay) -> tuple[Gate, ...]:
        host = self._next().host
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await host.connect(lambda: relay.far)
        return (host.zone,)

    def _next(self) -> Target:
        every = [*self._targets.values()]
        usable = [target for target in every if target.healthy]
        if not usable and self._wanted.fails_open:
            usable = every
        if not usable:
            raise ConnectionRefusedError(f"{self.service} has no targets in {self.region}")
        self._turn += 1
        return usable[self._turn % len(usable)]
