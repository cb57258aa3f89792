"""How a region goes dark in a real account: what is named of it is cut off, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaos.errors import InvalidInput
from chaos.faults.chosen import Moves, choose, subnets, together, within
from chaos.faults.fault import Coverage, Look, Pull
from chaos.faults.paused_replication import LOOKS as OF_REPLICATION
from chaos.faults.paused_replication import of_buckets, of_tables
from chaos.levers.autoscaling import AutoscalingProcess
from chaos.levers.denial import knowing
from chaos.levers.endpoint_access import CLOSED, EndpointAccess, EndpointPolicy
from chaos.levers.expiry import until
from chaos.levers.powers import Grants
from chaos.levers.replication_deny import BucketReplication, TableReplication
from chaos.levers.subnet_acl import NONE, SubnetAcl

if TYPE_CHECKING:
    from chaos.faults.region_outage import RegionOutage

# Nothing is launched in a region that is dark, and nothing that seems ill is terminated.
PROCESSES = ("Launch", "Terminate")
# A replica that may not replicate for 20 hours becomes a table of its own, for good. Source:
# DynamoDB, global tables security. Half of it leaves time to put things right.
LONGEST_PAUSE_S = 10 * 3600.0

UNFILTERED = (
    "what network ACLs never filter: traffic within a subnet, the VPC's own DNS resolver, instance"
    " metadata, time synchronisation, DHCP"
)
ELSEWHERE = "the region's AWS APIs and all that is not named here, for whoever calls from elsewhere"
EDGE = "Route 53, CloudFront and the other global services"


async def inject(fault: RegionOutage, look: Look, pull: Pull) -> None:
    """Replication first, then launches, then endpoints, subnets last; all found beforehand."""
    _refuse(fault)
    stages = [
        await _replication(fault, look),
        await _launches(fault, look),
        await _endpoints(fault, look),
        await _subnets(fault, look),
    ]
    for moves in stages:
        await together(pull, moves)


def coverage(fault: RegionOutage) -> Coverage:
    """By what the fault names."""
    cut = ["all traffic into and out of the named subnets, of connections that are open too"]
    goes_on = [UNFILTERED, ELSEWHERE, EDGE]
    if fault.endpoints:
        cut.append("the named VPC endpoints: interface ones hang, gateway ones refuse (403)")
        goes_on.append("connections through interface endpoints that were open already")
    if fault.launches:
        cut.append("launches and terminations by the named Auto Scaling groups")
    if fault.tables:
        cut.append("replication of the named tables, both ways; it may go on for up to 5 minutes")
    if fault.buckets:
        cut.append("replication into and out of the named buckets")
        goes_on.append(
            "after the drill: what was written to the buckets meanwhile stays unreplicated (FAILED)"
            " until S3 Batch Replication is run; the fault fis with aws:s3:bucket-pause-replication"
            " catches up by itself"
        )
    return Coverage(cut=tuple(cut), goes_on=tuple(goes_on))


def grants(fault: RegionOutage) -> Grants:
    """Those of the levers that it pulls, and of what it looks at to find them."""
    found = SubnetAcl.grants
    if fault.endpoints:
        found |= EndpointAccess.grants | EndpointPolicy.grants
    if fault.launches:
        found |= AutoscalingProcess.grants
    if fault.tables:
        found |= TableReplication.grants
    if fault.buckets:
        found |= BucketReplication.grants | OF_REPLICATION
    return within(found, fault.region)


def _refuse(fault: RegionOutage) -> None:
    if fault.mode != "hang":
        raise InvalidInput("region_outage: in an account packets are dropped: leave 'mode' out")
    if fault.tables and (fault.lasts or 0) > LONGEST_PAUSE_S:
        raise InvalidInput(
            "region_outage: with tables it may last 10h at most: after 20h without replication AWS"
            " makes a replica a table of its own, for good"
        )


async def _replication(fault: RegionOutage, look: Look) -> Moves:
    ends = until(fault.lasts or 0)
    tables = await of_tables(look, fault.region, fault.tables, ends)
    return tables + await of_buckets(look, fault.region, fault.buckets, ends)


async def _launches(fault: RegionOutage, look: Look) -> Moves:
    if not fault.launches:
        return []
    listing = (
        "autoscaling",
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        "AutoScalingGroupName",
    )
    found = await choose("region_outage: launches", fault.launches, look, fault.region, listing)
    names = [group["AutoScalingGroupName"] for group in found]
    return [
        (AutoscalingProcess(region=fault.region, group=name, process=process), "suspended")
        for name in names
        for process in PROCESSES
    ]


async def _endpoints(fault: RegionOutage, look: Look) -> Moves:
    if not fault.endpoints:
        return []
    listing = ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId")
    found = await choose("region_outage: endpoints", fault.endpoints, look, fault.region, listing)
    return [await _endpoint(fault, look, endpoint) for endpoint in found]


async def _endpoint(fault: RegionOutage, look: Look, endpoint: dict[str, Any]) -> Any:
    name, region, kind = endpoint["VpcEndpointId"], fault.region, endpoint["VpcEndpointType"]
    if endpoint.get("RequesterManaged"):
        raise InvalidInput(f"region_outage: endpoint {name} is managed by another service of AWS")
    if kind == "Interface":
        return EndpointAccess(region=region, endpoint=name), CLOSED
    if kind == "Gateway":
        lever = await knowing(EndpointPolicy(region=region, endpoint=name), look)
        return lever, {"until": until(fault.lasts or 0)}
    raise InvalidInput(
        f"region_outage: endpoint {name} is of the type {kind}; Interface and Gateway can be cut"
    )


async def _subnets(fault: RegionOutage, look: Look) -> Moves:
    found = await subnets(fault.kind, fault.subnets, look, fault.region)
    return [(SubnetAcl(region=fault.region, subnet=subnet), NONE) for subnet in found]
