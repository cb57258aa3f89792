"""Makes EC2's instances real: a process and an address for each that EC2 wants to run.

EC2 and Auto Scaling are asked after each of their changes, and every few seconds all the same.
What they do in no time here takes as long as it does on AWS: booting, noticing, replacing.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from chaos.errors import CallFailed, EnvironmentFailed
from chaos.lab import inventory
from chaos.lab.balancer import Balancer
from chaos.lab.declaration import Lab
from chaos.lab.following import Follower
from chaos.lab.groups import Groups, Key, Launch
from chaos.lab.hosts import Host
from chaos.lab.instances import Instance, key_of
from chaos.lab.inventory import Call, Wanted
from chaos.lab.network import Network
from chaos.loops import speed_of
from chaos.proxies.request import ApiRequest

# Seconds of the lab between two looks in quiet times.
LOOK_EVERY_S = 5.0


class Process(Protocol):
    """A started instance."""

    def kill(self) -> None:
        """End it at once."""


class Starter(Protocol):
    """What starts instances: the hypervisor."""

    async def start(self, instance: Instance, on_death: Callable[[], None], /) -> Process:
        """A process that answers; raises EnvironmentFailed."""


@dataclass(slots=True, eq=False)
class Member:
    """An instance that the lab knows: what EC2 says of it, and what there is of it."""

    wanted: Wanted
    host: Host
    machine: Process | None = None
    booting: asyncio.Task[None] | None = None
    crashed: bool = False

    @property
    def state(self) -> str:
        """EC2's word for it, but that one boots as long as it does not answer."""
        if not self.wanted.runs:
            return self.wanted.state
        if self.crashed:
            return "crashed"
        return "running" if self.host.address.up else "pending"


@dataclass(slots=True, kw_only=True)
class Fleet:
    """The instances of a lab; `endpoint` is the workload's door to the AWS API, `dns` a port."""

    lab: Lab
    directory: Path
    endpoint: str
    dns: int
    call: Call
    hypervisor: Starter
    network: Network
    balancers: Mapping[tuple[str, str], Balancer]  # by service and region
    shared: bool = False  # whether EC2 has instances of others, too
    launch: Launch | None = None  # where the lab stands in for Auto Scaling
    _members: dict[str, Member] = field(default_factory=dict)
    _follower: Follower | None = None
    _groups: Groups | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Return when all that EC2 wants to run now does: without any delay, this once.

        Raises CallFailed or EnvironmentFailed.
        """
        for wanted in await self._look():
            if wanted.runs:
                self._join(wanted)
        boots = [self._spawn(self._boot(member, 0.0)) for member in self._members.values()]
        await asyncio.gather(*boots)
        if self.launch is not None:
            self._groups = Groups(self.lab, self._look, self._refill)
        self._follower = Follower("EC2", self._reconcile, LOOK_EVERY_S)
        self._follower.start()

    def seen(self, request: ApiRequest, body: bytes, status: int) -> None:  # noqa: ARG002  # a hook
        """A call has been answered by the AWS API: it may have changed something."""
        reads = (request.operation or "").startswith("Describe")
        if request.service in ("ec2", "autoscaling") and not reads and self._follower:
            self._follower.wake()

    def wake(self) -> None:
        """Instances were launched by a call that came through no door, where it would be seen."""
        if self._follower is not None:
            self._follower.wake()

    def describe(self) -> list[dict[str, str]]:
        """All instances there were, as JSON."""
        return [
            {
                "id": member.wanted.id,
                "region": member.wanted.region,
                "zone": member.wanted.zone,
                "service": member.wanted.service or "",
                "address": member.host.ip,
                "state": member.state,
            }
            for member in self._members.values()
        ]

    async def stop(self) -> None:
        """Do nothing more, and take everything off the network."""
        if self._follower is not None:
            await self._follower.stop()
        if self._groups is not None:
            await self._groups.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for member in self._members.values():
            if member.machine is not None:
                member.machine.kill()
            await member.host.address.close()

    async def _reconcile(self) -> None:
        found = await self._look()
        for wanted in found:
            self._follow(wanted)
        if self._groups is not None:
            self._groups.follow(found)

    async def _refill(self, group: Key, count: int) -> None:
        if self.launch is not None:
            await self.launch(group, count)
            self.wake()

    async def _look(self) -> list[Wanted]:
        regions = [inventory.instances(self.call, region) for region in self.lab.regions]
        found = await asyncio.gather(*regions)
        return [wanted for region in found for wanted in region if self._ours(wanted)]

    def _ours(self, wanted: Wanted) -> bool:
        zones = self.lab.regions[wanted.region]
        if self.shared and wanted.lab != self.lab.name:
            return False
        return wanted.service in self.lab.services and wanted.zone in zones

    def _follow(self, wanted: Wanted) -> None:
        member = self._members.get(wanted.id)
        if member is None:
            if wanted.runs:
                self._launch(self._join(wanted), replaces=wanted.group is not None)
            return
        before, member.wanted = member.wanted, wanted
        if before.runs and not wanted.runs:
            self._end(member)
        elif wanted.runs and not before.runs:
            self._launch(member, replaces=False)

    def _join(self, wanted: Wanted) -> Member:
        socket = str(self.directory / wanted.id)
        host = self.network.host(wanted.region, wanted.zone, socket, wanted.service or "")
        member = self._members[wanted.id] = Member(wanted, host)
        return member

    def _launch(self, member: Member, *, replaces: bool) -> None:
        member.crashed = False
        member.booting = self._spawn(self._boot_later(member, replaces=replaces))

    async def _boot_later(self, member: Member, *, replaces: bool) -> None:
        try:
            if replaces:
                await asyncio.sleep(self.lab.timing.detection)
                await self._allowed(member.wanted)
            await self._boot(member, self.lab.timing.boot)
        except (CallFailed, EnvironmentFailed) as error:
            member.crashed = True
            print(f"instance {member.wanted.id} of the lab cannot boot: {error}", file=sys.stderr)

    async def _boot(self, member: Member, takes: float) -> None:
        """Bring it up; the process starts within the boot's time, whatever the speed."""
        ready = asyncio.get_running_loop().time() + takes
        instance = self._instance(member)
        member.machine = await self.hypervisor.start(instance, lambda: self._crashed(member))
        await asyncio.sleep(ready - asyncio.get_running_loop().time())
        if member.crashed:
            return
        member.host.address.up = True
        if balancer := self._balancer(member):
            balancer.add(member.host)

    def _instance(self, member: Member) -> Instance:
        service = self.lab.services[member.wanted.service or ""]
        return Instance(
            id=member.wanted.id,
            region=member.wanted.region,
            zone=member.wanted.zone,
            service=service,
            table=self.lab.tables.get(service.table or ""),
            address=member.host.ip,
            socket=member.host.socket,
            port=self.network.port,
            dns=("127.0.0.1", self.dns),
            endpoint=self.endpoint,
            key=key_of(member.wanted.service or ""),
            speed=speed_of(asyncio.get_running_loop()),
            bucket=self.lab.buckets.get(service.bucket or ""),
            queues={name: queue.region for name, queue in self.lab.queues.items()},
        )

    def _end(self, member: Member) -> None:
        if member.booting is not None:
            member.booting.cancel()
        member.host.address.up = False
        if member.machine is not None:
            member.machine.kill()
        if member.wanted.state in ("terminated", "shutting-down"):
            self._spawn(self._deregister(member))

    async def _deregister(self, member: Member) -> None:
        """Until the group has noticed, only the health checks keep traffic away."""
        await asyncio.sleep(self.lab.timing.detection)
        if balancer := self._balancer(member):
            await balancer.remove(member.host)

    def _crashed(self, member: Member) -> None:
        member.crashed = True
        member.host.address.up = False
        print(f"instance {member.wanted.id} of the lab ended by itself", file=sys.stderr)

    async def _allowed(self, wanted: Wanted) -> None:
        """Wait as long as the group may not launch, which moto stores but does not heed."""
        while True:
            if wanted.group not in await inventory.launch_suspended(self.call, wanted.region):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    def _balancer(self, member: Member) -> Balancer | None:
        return self.balancers.get((member.wanted.service or "", member.wanted.region))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
