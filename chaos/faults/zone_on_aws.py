"""How a zone goes dark in a real account: what is named of it is cut off, or fails over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chaos.errors import InvalidInput
from chaos.faults.chosen import subnets, together, within
from chaos.faults.failing_over import of_caches, of_databases
from chaos.faults.fault import Coverage, Look, Pull
from chaos.faults.region_on_aws import EDGE, ELSEWHERE, UNFILTERED
from chaos.levers.failover import CacheFailover, DatabaseFailover
from chaos.levers.powers import Grant, Grants
from chaos.levers.subnet_acl import NONE, SubnetAcl

if TYPE_CHECKING:
    from chaos.faults.zone_outage import ZoneOutage

LOOKS = Grants(looks=(Grant(actions=("ec2:DescribeAvailabilityZones",)),))


async def inject(fault: ZoneOutage, look: Look, pull: Pull) -> None:
    """The subnets of the zone, and the failovers side by side with them; all found beforehand."""
    if fault.mode != "hang":
        raise InvalidInput("zone_outage: in an account packets are dropped: leave 'mode' out")
    region = region_of(fault)
    zone = await _name(look, region, fault.zone)
    found = await subnets(fault.kind, fault.subnets, look, region, zone)
    moves = [
        *await of_databases(look, region, zone, fault.databases),
        *await of_caches(look, region, zone, fault.caches),
    ]
    cut = [(SubnetAcl(region=region, subnet=subnet), NONE) for subnet in found]
    await together(pull, [*moves, *cut])


def region_of(fault: ZoneOutage) -> str:
    """The region that the fault names, or that of a zone's name; raises InvalidInput."""
    named = re.match(r"[a-z]{2,}(-[a-z]+)+-\d+", fault.zone)
    if fault.region and named and named[0] != fault.region:
        raise InvalidInput(f"zone_outage: the zone {fault.zone} is not in {fault.region}")
    if region := fault.region or (named and named[0]):
        return region
    raise InvalidInput(f"zone_outage: {fault.zone} is the id of a zone: say which 'region' has it")


def coverage(fault: ZoneOutage) -> Coverage:
    """By what the fault names."""
    cut = ["all traffic into and out of the zone's named subnets, of open connections too"]
    if fault.databases or fault.caches:
        cut.append("the writers and primaries of the named databases and caches: they fail over")
    goes_on = (
        UNFILTERED,
        "the instances of the zone: they run on, and are there again when it is lifted",
        "volumes, NAT gateways and nodes of load balancers in subnets that are not named",
        ELSEWHERE,
        EDGE,
    )
    return Coverage(cut=tuple(cut), goes_on=goes_on)


def grants(fault: ZoneOutage) -> Grants:
    """Those of the levers that it pulls, and of what it looks at to find them."""
    found = SubnetAcl.grants | LOOKS
    if fault.databases:
        found |= DatabaseFailover.grants
    if fault.caches:
        found |= CacheFailover.grants
    return within(found, region_of(fault))


async def _name(look: Look, region: str, zone: str) -> str:
    """The zone's name in this account, by name or id; raises InvalidInput when there is none."""
    found = await look("ec2", region, "describe_availability_zones")
    zones = {z["ZoneName"]: z.get("ZoneId", "") for z in found["AvailabilityZones"]}
    name: str | None = next((name for name, id_ in zones.items() if zone in (name, id_)), None)
    if name is None:
        known = ", ".join(f"{name} ({id_})" for name, id_ in sorted(zones.items()))
        raise InvalidInput(f"zone_outage: no zone {zone!r} in {region}; there is {known}")
    return name
