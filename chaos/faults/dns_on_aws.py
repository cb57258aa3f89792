"""The faults of DNS in a real account: a VPC's own resolver, or the instances themselves.

The levers are imported when they are needed: to check a file takes none of what they wait with.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from chaos.errors import InvalidInput
from chaos.faults.chosen import choose, together
from chaos.faults.fault import Coverage, Look, Pull
from chaos.levers import expiry
from chaos.levers.marked import tag_map
from chaos.levers.paging import every
from chaos.levers.powers import Grants

if TYPE_CHECKING:
    from chaos.faults.dns_fault import DnsFault

Via = Literal["vpc", "instances"]
Problems = Iterator[tuple[str, str]]

# What a VPC may have; AWS, Route 53 quotas.
MOST_GROUPS = 5
# What each way can do, by the fault's `how`; slow_dns is "delay".
BLOCKS = {"nxdomain": "NXDOMAIN", "nodata": "NODATA", "wrong": "OVERRIDE"}
ON_INSTANCES = ("delay", "silence")
HOST = re.compile(
    r"(?=.{4,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z]{2,63}\.?"
)
DEFAULT_TTL_S = 30
LATEST_S = 60.0  # a delay: nobody waits for DNS longer
AT_ONCE = 50  # instances about which SSM is asked in one call


def problems(fault: DnsFault, how: str) -> Problems:
    """What cannot be, each with the field that is wrong."""
    if fault.via is None:
        for name in ("region", "vpcs", "instances", "zone"):
            if name in fault.model_fields_set:
                yield name, "means something with via: vpc or via: instances alone"
        if how == "nodata":
            yield "how", "'nodata' is for via: vpc alone"
        return
    wanted, other = ("vpcs", "instances") if fault.via == "vpc" else ("instances", "vpcs")
    if fault.region is None:
        yield "region", f"missing; via: {fault.via} needs it"
    if getattr(fault, wanted) is None:
        yield wanted, f"missing; via: {fault.via} needs it"
    if getattr(fault, other) is not None:
        yield other, f"means nothing with via: {fault.via}"
    yield from (_of_a_vpc(fault, how) if fault.via == "vpc" else _of_instances(fault, how))


def _of_a_vpc(fault: DnsFault, how: str) -> Problems:
    if fault.zone is not None:
        yield "zone", "a VPC's resolver is one for all of its zones; choose instances instead"
    if how not in BLOCKS:
        can = "nxdomain, nodata or wrong"
        what = "cannot be slow" if how == "delay" else f"cannot say {how}, only {can}"
        hint = "; take via: instances" if how in ON_INSTANCES else ""
        yield _where(how), f"DNS Firewall, which via: vpc uses, {what}{hint}"
        return
    rule = fault.rule()
    answers = rule.get("answers", [])
    if how == "wrong" and (len(answers) != 1 or not HOST.fullmatch(answers[0])):
        yield "answers", "DNS Firewall can lead to one other name alone, and to no address"
    if how != "wrong" and "ttl" in rule:
        yield "ttl", f"how long {how} is believed is not to be chosen in DNS Firewall"


def _of_instances(fault: DnsFault, how: str) -> Problems:
    if how not in ON_INSTANCES:
        yield _where(how), f"cannot be {how} on instances: a packet can be late or lost, no more"
    if fault.names != ("*",):
        yield "names", 'packets are not told apart by names: on instances it is names: ["*"]'
    if fault.types:
        yield "types", "packets are not told apart by types of questions"
    if how == "delay" and fault.rule()["seconds"] > LATEST_S:
        yield "delay", f"must be at most {LATEST_S:g} seconds on instances"


def _where(how: str) -> str:
    return "via" if how == "delay" else "how"


def grants(fault: DnsFault) -> Grants:
    """Those of the lever that it pulls."""
    from chaos.levers.dns_firewall import DnsFirewall
    from chaos.levers.instance_dns import InstanceDns

    if fault.via is None:
        return Grants()
    return DnsFirewall.grants if fault.via == "vpc" else InstanceDns.grants


def coverage(fault: DnsFault) -> Coverage | None:
    """What is cut: each way leaves other ways to a name."""
    names = ", ".join(fault.names)
    if fault.via == "vpc":
        return Coverage(
            cut=(f"questions for {names} to the VPC's own resolver",),
            goes_on=(
                "questions to other resolvers, such as 8.8.8.8 or DNS over HTTPS",
                "what clients have in a cache, until its TTL is over",
                "names that a rule group with a lower priority number allows",
            ),
        )
    if fault.via == "instances":
        return Coverage(
            cut=("DNS by UDP and TCP, port 53, on the device of the default route",),
            goes_on=(
                "DNS over TLS and HTTPS, and by other devices",
                "what the instance's own caches know, until its TTL is over",
            ),
        )
    return None


async def inject(fault: DnsFault, look: Look, pull: Pull) -> None:
    """Find them and pull; raises InvalidInput for what cannot be done."""
    if fault.via is None:
        raise InvalidInput(
            f"{fault.kind}: in an account say by which way: via: vpc, or via: instances,"
            " with region and vpcs or instances"
        )
    await (_vpcs if fault.via == "vpc" else _instances)(fault, look, pull)


async def _vpcs(fault: DnsFault, look: Look, pull: Pull) -> None:
    from chaos.levers.dns_firewall import DnsFirewall

    region = fault.region or ""
    listing = ("ec2", "describe_vpcs", "Vpcs", "VpcId")
    assert fault.vpcs  # noqa: S101  # the model has seen to it
    found = await choose(f"{fault.kind}: vpcs", fault.vpcs, look, region, listing)
    full = [vpc["VpcId"] for vpc in found if await _full(look, region, vpc["VpcId"])]
    if full:
        raise InvalidInput(
            *(
                f"{fault.kind}: {vpc} has {MOST_GROUPS} rule groups of DNS Firewall, which is all"
                " that AWS lets a VPC have; take one away first"
                for vpc in full
            )
        )
    value = _blocked(fault)
    await together(pull, [(DnsFirewall(region=region, vpc=vpc["VpcId"]), value) for vpc in found])


async def _full(look: Look, region: str, vpc: str) -> bool:
    there = await every(
        look,
        "route53resolver",
        region,
        "list_firewall_rule_group_associations",
        "FirewallRuleGroupAssociations",
        VpcId=vpc,
    )
    return len(there) >= MOST_GROUPS


def _blocked(fault: DnsFault) -> dict[str, Any]:
    rule = fault.rule()
    value = {"names": sorted(fault.names), "block": BLOCKS[rule["action"]]}
    if fault.types:
        value["types"] = sorted(fault.types)
    if rule["action"] == "wrong":
        value |= {"to": rule["answers"][0].rstrip("."), "ttl": rule.get("ttl", DEFAULT_TTL_S)}
    return value


async def _instances(fault: DnsFault, look: Look, pull: Pull) -> None:
    from chaos.levers.instance_dns import InstanceDns

    region = fault.region or ""
    found = await _running(fault, look, region)
    await _refuse_unmanaged(fault, look, region, found)
    seconds = math.ceil((fault.lasts or 0.0) + expiry.MARGIN_S)
    rule = fault.rule()
    value: dict[str, Any] = {"silence": True, "for_s": seconds}
    if rule["action"] == "delay":
        late = {
            "delay_ms": round(rule["seconds"] * 1000),
            "jitter_ms": round(rule["jitter"] * 1000),
        }
        value = {**late, "for_s": seconds}
    await together(pull, [(InstanceDns(region=region, instance=i), value) for i in found])


async def _running(fault: DnsFault, look: Look, region: str) -> list[str]:
    """The instances that are meant, of those that run."""
    assert fault.instances  # noqa: S101  # the model has seen to it
    filters = [{"Name": "instance-state-name", "Values": ["running"]}]
    pages = await every(look, "ec2", region, "describe_instances", "Reservations", Filters=filters)
    found = [
        i["InstanceId"]
        for page in pages
        for i in page["Instances"]
        if fault.instances.fits(i["InstanceId"], tag_map(i.get("Tags")))
        and fault.zone in (None, i["Placement"]["AvailabilityZone"])
    ]
    where = f"{region}{f' in {fault.zone}' if fault.zone else ''}"
    if missing := sorted(set(fault.instances.ids) - set(found)):
        raise InvalidInput(
            f"{fault.kind}: not among the running instances that match in {where}:"
            f" {', '.join(missing)}"
        )
    if not found:
        raise InvalidInput(f"{fault.kind}: no running instance in {where} matches")
    return sorted(found)


async def _refuse_unmanaged(fault: DnsFault, look: Look, region: str, instances: list[str]) -> None:
    """SSM must reach all of them, and they must be Linux; names those that are not so."""
    online: set[str] = set()
    for start in range(0, len(instances), AT_ONCE):
        wanted = {"Key": "InstanceIds", "Values": instances[start : start + AT_ONCE]}
        found = await every(
            look,
            "ssm",
            region,
            "describe_instance_information",
            "InstanceInformationList",
            Filters=[wanted],
        )
        online |= {
            one["InstanceId"]
            for one in found
            if one["PingStatus"] == "Online" and one.get("PlatformType", "Linux") == "Linux"
        }
    if unmanaged := sorted(set(instances) - online):
        raise InvalidInput(
            f"{fault.kind}: SSM does not reach (no agent online, no instance profile for it, or no"
            f" Linux): {', '.join(unmanaged)}"
        )
