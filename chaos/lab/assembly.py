"""Stands a lab up, part by part, in the order in which they need each other.

    control plane ─► doors ─► the declared system ─► instances, DNS, replication ─► control socket

What stands is taken down in the reverse order by the exit stack that was handed in.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from chaos.errors import EnvironmentFailed
from chaos.lab.alarms import Alarms
from chaos.lab.balancer import Balancer
from chaos.lab.control import ControlServer
from chaos.lab.control_plane import Given
from chaos.lab.declaration import Lab
from chaos.lab.dynamodb_replication import Table, Tables
from chaos.lab.fleet import Fleet
from chaos.lab.following import Follower
from chaos.lab.health_metrics import HealthMetrics
from chaos.lab.instances import Hypervisor
from chaos.lab.made import whole
from chaos.lab.network import Network
from chaos.lab.pilot_light import PilotLight, asleep, calls_as
from chaos.lab.plane import connect
from chaos.lab.replication import Replication
from chaos.lab.route53 import Route53
from chaos.lab.s3_replication import Buckets
from chaos.lab.seed import Site, all_of, launch, seed
from chaos.lab.stock import stock
from chaos.lab.visitors import Crowd
from chaos.lab.world import World, control_path
from chaos.loops import speed_of
from chaos.proxies.admin import AdminDoor
from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.exchange import Seen
from chaos.proxies.request import ApiRequest
from chaos.proxies.rules import Rules

LOOPBACK = "127.0.0.1"
# Seconds of the lab between two looks at Route 53 in quiet times.
ROUTE53_EVERY_S = 60.0
# Seconds of the wall; a check that missed its time at the start is made up for in two intervals.
HEALTHY_WITHIN_S = 30.0


class Heard:
    """Passes on what came through the doors, to all who follow the AWS API."""

    def __init__(self) -> None:
        self.listeners: list[Seen] = []

    def tell(self, request: ApiRequest, body: bytes, status: int) -> None:
        """One call that the AWS API has answered."""
        for listener in self.listeners:
            listener(request, body, status)


async def stand_up(
    lab: Lab, given: Given | None, directory: Path, stack: AsyncExitStack, *, stays: bool = False
) -> World:
    """A lab that answers everywhere, with moto of its own where no control plane is given.

    In one that `stays`, its user may set faults at the workload's door; in that of a run, only
    levers do. Raises EnvironmentFailed or CallFailed with one sentence.
    """
    hypervisor = Hypervisor()
    hypervisor.prepare()
    stack.push_async_callback(hypervisor.close)
    plane = await connect(given, lab.name, directory, stack)
    rules, heard = Rules(), Heard()
    admin = AdminDoor(rules, lambda: workload.requests).answer if stays else None
    workload = ApiProxy(plane.address, rules, heard.tell, admin=admin)
    api = await _door(workload, lab.ports.api, stack)
    operator = await _door(ApiProxy(plane.address, Rules(), heard.tell), 0, stack)
    network = Network(lab.regions, lab.ports.http, lab.services)
    stack.callback(network.close)
    balancers = _balancers(lab, network, stack)
    site = Site(lab=lab, call=plane.call, made=plane.made, stand_ins=plane.stand_ins)
    addresses = {key: balancer.address.ip for key, balancer in balancers.items()}
    await whole(all_of(seed(site, addresses), stock(lab, plane.call, plane.made)))
    route53 = _route53(site, network, heard, stack)
    dns = await route53.listen(lab.ports.dns)
    fleet = Fleet(
        lab=lab,
        directory=directory,
        endpoint=api,
        dns=dns,
        call=plane.call,
        hypervisor=hypervisor,
        network=network,
        balancers=balancers,
        shared=plane.made.shared,
        launch=functools.partial(launch, site) if "autoscaling" in plane.stand_ins else None,
    )
    stack.push_async_callback(fleet.stop)
    stores = (Tables(_tables(lab), plane.call), Buckets(lab.buckets, plane.call))
    replication = Replication(stores)
    stack.push_async_callback(replication.stop)
    heard.listeners += [fleet.seen, replication.seen]
    await asyncio.gather(fleet.start(), replication.start(), route53.start())
    await _healthy(balancers.values())
    # LocalStack evaluates its alarms itself; what nobody else runs is moto, which never does.
    alarms = Alarms(lab, plane.call, balancers.values(), evaluates=not plane.made.shared)
    crowd = Crowd(lab.visitors, dns, network.port)
    lights = _pilot_lights(site, api, fleet, network.port, stack)
    statuses = HealthMetrics(route53.checks, plane.call)
    parts: list[Alarms | Crowd | HealthMetrics | PilotLight] = [alarms, statuses, crowd, *lights]
    for part in parts:
        part.start()
        stack.push_async_callback(part.stop)
    world = World(
        lab=lab,
        directory=directory,
        dns=dns,
        api=api,
        operator=operator,
        control_plane=plane.process,
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


def _route53(site: Site, network: Network, heard: Heard, stack: AsyncExitStack) -> Route53:
    lab = site.lab
    route53 = Route53(
        site.call,
        ports={80: network.port},
        propagation=lab.timing.dns_propagation,
        checkers=lab.dns.checkers,
        viewer_region=lab.dns.viewer_region,
        lab=lab.name if site.made.shared else None,
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


def _pilot_lights(
    site: Site, api: str, fleet: Fleet, port: int, stack: AsyncExitStack
) -> list[PilotLight]:
    sleeping = asleep(site.lab)
    if sleeping and "autoscaling" in site.stand_ins:
        raise EnvironmentFailed("what 'wakes' needs Auto Scaling itself, which is not here")
    made = []
    for name, region in sleeping:
        door = calls_as(api, name, site.lab.services[name].aws_timeout)
        stack.callback(door.close)
        at = {of[1]: (b.address.ip, port) for of, b in fleet.balancers.items() if of[0] == name}
        made.append(
            PilotLight(
                site.lab, name, region, at, call=site.call, door=door.call, launched=fleet.wake
            )
        )
    return made


def _tables(lab: Lab) -> list[Table]:
    return [
        Table(
            name=name,
            key=(table.key, table.sort_key),
            regions=table.regions,
            sources=table.sources,
            lag=table.lag,
        )
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
