"""Hosted zones, as Route 53's API lists them: read, checked, and indexed by name.

Whatever the lab does not have is refused here, with one sentence, before it could answer wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdatatype
from dns.name import Name
from dns.rdatatype import RdataType

from chaos.errors import EnvironmentFailed
from chaos.lab.routing import Alias, Policy, Record

Group = tuple[Record, ...]  # the records of one name and type
Node = dict[RdataType, Group]  # all that one name holds

# The field that makes a record set's policy; a set with none of them is simple.
POLICIES: dict[str, Policy] = {
    "Failover": "failover",
    "Weight": "weighted",
    "Region": "latency",
    "MultiValueAnswer": "multivalue",
}
REFUSED_POLICIES = {
    "GeoLocation": "geolocation",
    "GeoProximityLocation": "geoproximity",
    "CidrRoutingConfig": "IP-based (CIDR)",
}
# moto lists the SOA that it makes itself as the text of a Python dictionary.
MOTO_VALUE = re.compile(r"^\{'Value': '(.*)'\}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedZone:
    """The records of one zone by name; a name with others below it exists, if only empty."""

    id: str
    name: Name
    nodes: Mapping[Name, Node]

    def node(self, name: Name) -> Node | None:
        """What a name of the zone holds, by wildcard if need be; None: no such name (RFC 4592)."""
        encloser = name
        while encloser not in self.nodes:
            encloser = encloser.parent()
        if encloser == name:
            return self.nodes[name]
        return self.nodes.get(Name([b"*", *encloser.labels]))

    def delegates(self, name: Name) -> bool:
        """Whether the zone hands the name, or one above it, to other name servers."""
        while name != self.name:
            if RdataType.NS in self.nodes.get(name, {}):
                return True
            name = name.parent()
        return False

    def groups(self) -> Iterable[Group]:
        """All its records, those of one name and type together."""
        return (group for node in self.nodes.values() for group in node.values())


def name_of(text: str) -> Name:
    r"""A name as the API writes it: absolute, and odd characters as octal (`\052` is `*`)."""
    return dns.name.from_text(_decimal(text), dns.name.root)


def read_zone(given: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> HostedZone:
    """A zone and its record sets as the API lists them.

    Raises EnvironmentFailed for what the lab lacks and for what Route 53 would not have taken.
    """
    apex = name_of(given["Name"])
    groups: dict[tuple[Name, RdataType], dict[str, Record]] = {}
    for record in map(read_record, records):
        # By identifier: an emulator's page may begin with what the last one ended with.
        groups.setdefault((record.name, record.type), {})[record.set_identifier] = record
    nodes: dict[Name, Node] = {apex: {}}
    for (owner, kind), group in groups.items():
        _refuse_impossible(apex, owner, kind, group.values())
        nodes.setdefault(owner, {})[kind] = tuple(group.values())
        above = owner
        while above != apex:
            above = above.parent()
            nodes.setdefault(above, {})
    return HostedZone(id=given["Id"].removeprefix("/hostedzone/"), name=apex, nodes=nodes)


def read_record(given: Mapping[str, Any]) -> Record:
    """One record set as ListResourceRecordSets has it; raises EnvironmentFailed."""
    what = f"record {given['Name']} {given['Type']}"
    for key, words in REFUSED_POLICIES.items():
        if given.get(key):
            raise EnvironmentFailed(f"{what} uses {words} routing, which the lab does not have")
    try:
        return _record(given)
    except dns.exception.DNSException as error:
        raise EnvironmentFailed(f"{what} cannot be read: {error}") from error


def _record(given: Mapping[str, Any]) -> Record:
    kind, alias = dns.rdatatype.from_text(given["Type"]), given.get("AliasTarget")
    values = [
        _decimal(MOTO_VALUE.sub(r"\1", each["Value"]))
        for each in given.get("ResourceRecords") or ()
    ]
    return Record(
        name=name_of(given["Name"]),
        type=kind,
        ttl=int(given.get("TTL") or 0),
        values=tuple(
            dns.rdata.from_text("IN", kind, value, dns.name.root, relativize=False)
            for value in values
        ),
        set_identifier=given.get("SetIdentifier") or "",
        policy=_policy(given),
        role=given.get("Failover"),
        weight=int(given.get("Weight") or 0),
        region=given.get("Region") or "",
        health_check=given.get("HealthCheckId"),
        alias=alias
        and Alias(
            target=name_of(alias["DNSName"]),
            evaluate_target_health=bool(alias.get("EvaluateTargetHealth")),
        ),
    )


def _policy(given: Mapping[str, Any]) -> Policy:
    for key, policy in POLICIES.items():
        if given.get(key) is not None and given[key] is not False:  # a weight of 0 is one
            return policy
    return "simple"


def _decimal(text: str) -> str:
    """Octal escapes, which are Route 53's, as decimal ones, which are DNS's (RFC 1035, 5.1)."""
    return re.sub(
        r"\\(?:([0-3][0-7]{2})|.)",
        lambda found: f"\\{int(found[1], 8):03d}" if found[1] else found[0],
        text,
    )


def _refuse_impossible(apex: Name, owner: Name, kind: RdataType, group: Iterable[Record]) -> None:
    what, group = f"records {owner} {kind.name}", list(group)
    if not owner.is_subdomain(apex):
        raise EnvironmentFailed(f"{what} stand in the hosted zone {apex}, not their own")
    if len({record.policy for record in group}) > 1:
        raise EnvironmentFailed(f"{what} mix routing policies, which Route 53 does not allow")
    roles = [record.role for record in group if record.role]
    if len(roles) > len(set(roles)):
        raise EnvironmentFailed(f"{what} have two of the role {roles[0]}; Route 53 allows one")
