"""Stands a lab up, part by part, in the order in which they need each other.

    moto ─► doors ─► the declared system ─► instances, DNS, replication ─► control socket

What stands is taken down in the reverse order by the exit stack that was handed in.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from chaos.environments.calls import AwsCalls
from chaos.errors import EnvironmentFailed
from chaos.lab.balancer import Balancer
from chaos.lab.control import ControlServer
from chaos.lab.control_plane import ControlPlane
from chaos.lab.declaration import Lab
from chaos.lab.fleet import Fleet
from chaos.lab.following import Follower
from chaos.lab.instances import Hypervisor
from chaos.lab.inventory import Call
from chaos.lab.network import Network
from chaos.lab.replication import Replication, Table
from chaos.lab.route53 import Route53
from chaos.lab.seed import seed
from chaos.lab.world import World, control_path
from chaos.loops import speed_of
from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.exchange import Seen
from chaos.proxies.request import ApiRequest
from chaos.proxies.rules import Rules

KEY = ("lab", "lab")
LOOPBACK = "127.0.0.1"
# Seconds of the lab between two looks at Route 53 in quiet times.
ROUTE53_EVERY_S = 60.0
# Seconds of the wall; a check that missed its time at the start is made up for in two intervals.
HEALTHY_WITHIN_S = 30.0
# A lab of this size asks little of moto, and its threads take turns anyway.
THREADS = 4
# Seconds of the wall for one call of the lab's own; while the lab comes up, one takes seconds.
CALL_WITHIN_S = 30.0


class Heard:
    """Passes on what came through the doors, to all who follow the AWS API."""

    def __init__(self) -> None:
        self.listeners: list[Seen] = []

    def tell(self, request: ApiRequest, body: bytes, status: int) -> None:
        """One call that the AWS API has answered."""
        for listener in self.listeners:
            listener(request, body, status)


async def stand_up(lab: Lab, directory: Path, stack: AsyncExitStack) -> World:
    """A lab that answers everywhere; raises EnvironmentFailed or CallFailed with one sentence."""
    hypervisor = Hypervisor()
    hypervisor.prepare()
    stack.push_async_callback(hypervisor.close)
    control_plane = ControlPlane()
    stack.push_async_callback(control_plane.stop)
    moto = (LOOPBACK, await control_plane.start(directory))
    # The lab's own calls use no door: nobody has to hear of them.
    aws = AwsCalls(_url(moto), key=KEY, timeout_s=CALL_WITHIN_S, threads=THREADS)
    stack.callback(aws.close)
    rules, heard = Rules(), Heard()
    api = await _door(ApiProxy(moto, rules, heard.tell), lab.ports.api, stack)
    operator = await _door(ApiProxy(moto, Rules(), heard.tell), 0, stack)
    network = Network(lab.regions, lab.ports.http, lab.services)
    stack.callback(network.close)
    balancers = _balancers(lab, network, stack)
    await seed(lab, aws.call, {key: b.address.ip for key, b in balancers.items()})
    route53 = _route53(lab, aws.call, network, heard, stack)
    dns = await route53.listen(lab.ports.dns)
    fleet = Fleet(
        lab=lab,
        directory=directory,
        endpoint=api,
        dns=dns,
        call=aws.call,
        hypervisor=hypervisor,
        network=network,
        balancers=balancers,
    )
    stack.push_async_callback(fleet.stop)
    replication = Replication(_replicated(lab), aws.call)
    stack.push_async_callback(replication.stop)
    heard.listeners += [fleet.seen, replication.seen]
    await asyncio.gather(fleet.start(), replication.start(), route53.start())
    await _healthy(balancers.values())
    world = World(
        lab=lab,
        directory=directory,
        dns=dns,
        api=api,
        operator=operator,
        control_plane=control_plane,
        rules=rules,
        network=network,
        fleet=fleet,
        balancers=balancers,
        route53=route53,
        replication=replication,
    )
    control = ControlServer(world.operations())
    await control.start(control_path(directory))
    stack.push_async_callback(control.close)
    return world


async def _door(proxy: ApiProxy, port: int, stack: AsyncExitStack) -> str:
    try:
        bound = await proxy.start(LOOPBACK, port)
    except OSError as error:
        raise EnvironmentFailed(
            f"port {port} for the AWS API (ports.api) cannot be had: {error.strerror}"
        ) from error
    stack.push_async_callback(proxy.stop)
    return _url((LOOPBACK, bound))


def _balancers(
    lab: Lab, network: Network, stack: AsyncExitStack
) -> dict[tuple[str, str], Balancer]:
    made = {}
    for name, service in lab.services.items():
        for region in lab.regions:
            if service.balancer is not None:
                listen = functools.partial(network.regional, region, service=name)
                made[name, region] = Balancer(name, region, service.balancer, listen)
                stack.push_async_callback(made[name, region].close)
    return made


def _route53(
    lab: Lab, call: Call, network: Network, heard: Heard, stack: AsyncExitStack
) -> Route53:
    route53 = Route53(
        call,
        ports={80: network.port},
        propagation=lab.timing.dns_propagation,
        checkers=lab.dns.checkers,
        viewer_region=lab.dns.viewer_region,
    )
    stack.push_async_callback(route53.stop)
    follower = Follower("Route 53", route53.refresh, ROUTE53_EVERY_S)

    def seen(request: ApiRequest, body: bytes, status: int) -> None:  # noqa: ARG001  # a hook
        if request.service == "route53":  # its requests do not name their operation
            follower.wake()

    heard.listeners.append(seen)
    follower.start()
    stack.push_async_callback(follower.stop)
    return route53


def _replicated(lab: Lab) -> list[Table]:
    return [
        Table(name=name, key=(table.key, table.sort_key), regions=table.regions, lag=table.lag)
        for name, table in lab.tables.items()
    ]


async def _healthy(balancers: Iterable[Balancer]) -> None:
    budget = HEALTHY_WITHIN_S * speed_of(asyncio.get_running_loop())
    try:
        async with asyncio.timeout(budget):
            for balancer in balancers:
                await balancer.all_healthy()
    except TimeoutError as error:
        raise EnvironmentFailed("the lab's instances do not answer their health checks") from error


def _url(at: tuple[str, int]) -> str:
    return f"http://{at[0]}:{at[1]}"
