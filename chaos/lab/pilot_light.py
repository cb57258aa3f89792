"""Wakes what a lab declares as a pilot light: a service that sleeps in a region until it must not.

It stands for the automation that every such standby has: something looks whether the service is
there elsewhere, and when it is not, asks Auto Scaling for instances.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed
from chaos.lab.declaration import Lab
from chaos.lab.health_check import HealthCheck, passes
from chaos.lab.instances import key_of
from chaos.lab.inventory import Call
from chaos.lab.services import Service, Wakes
from chaos.loops import speed_of

# Seconds of the lab between two looks.
LOOK_EVERY_S = 1.0

Address = tuple[str, int]
Passes = Callable[[HealthCheck, Address], Awaitable[bool]]


def asleep(lab: Lab) -> list[tuple[str, str]]:
    """The services that sleep, and in which region."""
    return [(n, r) for n, service in lab.services.items() for r in lab.regions if service.wakes(r)]


def calls_as(api: str, service: str, timeout: float) -> AwsCalls:
    """The AWS API as the automation of a service sees it: one attempt a call, given up in time."""
    seconds = timeout / speed_of(asyncio.get_running_loop())
    return AwsCalls(api, key=key_of(service), attempts=1, timeout_s=seconds, threads=2)


class PilotLight:
    """One service in one region, asleep; `addresses` are its balancers', by region.

    `call` reaches Auto Scaling, `door` the AWS API as the workload does: faults apply to it.
    `launched` is told that there are instances to be found.
    """

    def __init__(
        self,
        lab: Lab,
        name: str,
        region: str,
        addresses: Mapping[str, Address],
        *,
        call: Call,
        door: Call,
        launched: Callable[[], None],
        passes: Passes = passes,
    ) -> None:
        self._lab, self._name, self._region = lab, name, region
        self._service: Service = lab.services[name]
        self._awake = {r: at for r, at in addresses.items() if not self._service.wakes(r)}
        self._call, self._door = call, door
        self._launched = launched
        self._passes = passes
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        wakes = self._service.wakes(self._region)
        assert wakes is not None  # noqa: S101  # who makes this has looked
        loop = asyncio.get_running_loop()
        seen = loop.time()
        while True:
            if any(await asyncio.gather(*map(self._answers, self._awake.items()))):
                seen = loop.time()
            elif loop.time() - seen >= wakes.after and await self._woken(wakes):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _answers(self, there: tuple[str, Address]) -> bool:
        region, address = there
        path = self._service.balancer.path if self._service.balancer else "/"
        check = HealthCheck(id=region, name=self._name, type="HTTP", ip=address[0], path=path)
        return await self._passes(check, address)

    async def _woken(self, wakes: Wakes) -> bool:
        """Whether Auto Scaling was asked for all instances; what fails is told, and tried again."""
        try:
            if wakes.asks is not None:
                await self._door("autoscaling", wakes.asks, "describe_auto_scaling_groups")
            for zone in self._lab.regions[self._region]:
                if most := self._service.most(self._region, zone):
                    await self._call(
                        "autoscaling",
                        self._region,
                        "set_desired_capacity",
                        AutoScalingGroupName=f"{self._name}-{zone}",
                        DesiredCapacity=most,
                    )
        except CallFailed as error:
            print(f"{self._name} cannot be woken in {self._region}: {error}", file=sys.stderr)
            return False
        self._launched()
        return True
