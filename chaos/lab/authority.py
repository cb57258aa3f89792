"""The authority for a set of hosted zones: what it says to each question, and nothing else.

Pure: what is healthy, and who is drawn, is in the `choose` that the caller brings.
"""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Iterable
from typing import Any, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rrset
from dns.name import Name
from dns.rdata import Rdata
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.SOA import SOA

from chaos.errors import EnvironmentFailed
from chaos.lab.hosted_zones import Group, HostedZone

Choose = Callable[[Group], Group]

TRANSFERS = (RdataType.AXFR, RdataType.IXFR)
MOST_CNAMES = 16


class Authority:
    """Answers for all zones of the lab; raises EnvironmentFailed if they do not fit together."""

    def __init__(self, zones: Iterable[HostedZone] = ()) -> None:
        self._zones: dict[Name, HostedZone] = {}
        for zone in zones:
            if zone.name in self._zones:
                raise EnvironmentFailed(
                    f"two hosted zones are named {zone.name}; the lab cannot tell which is meant"
                )
            self._zones[zone.name] = zone
        self._refuse_wild_aliases()

    def describe(self) -> list[dict[str, Any]]:
        """Each zone with its id, its name and how many record sets it holds."""
        return [
            {"id": zone.id, "name": str(zone.name), "records": sum(map(len, zone.groups()))}
            for zone in self._zones.values()
        ]

    def names(self) -> list[str]:
        """Every name that holds records, without the last dot."""
        return [
            name.to_text(omit_final_dot=True)
            for zone in self._zones.values()
            for name, node in zone.nodes.items()
            if node
        ]

    def lookup(self, name: Name, kind: RdataType) -> Group:
        """The records of exactly that name and type: what an alias stands for."""
        zone = self._zone_of(name)
        return zone.nodes.get(name, {}).get(kind, ()) if zone else ()

    def answer(
        self, query: dns.message.QueryMessage, choose: Choose, *, payload: int
    ) -> dns.message.Message:
        """The answer to a question; `choose` picks among the records of one name and type.

        CNAMEs are followed through all our zones, as the resolver in between would. `payload` is
        what the server takes in one UDP message, in bytes.
        """
        response = dns.message.make_response(query, our_payload=payload)
        question = query.question[0]
        zone = self._zone_of(question.name)
        answerable = question.rdclass == dns.rdataclass.IN and question.rdtype not in TRANSFERS
        if zone is None or not answerable:
            response.set_rcode(dns.rcode.REFUSED)
            return response
        response.flags |= dns.flags.AA
        name, seen = question.name, set[Name]()
        while zone is not None and name not in seen and len(seen) < MOST_CNAMES:
            seen.add(name)
            target = _say(response, zone, name, question.rdtype, choose)
            if target is None:
                break
            name, zone = target, self._zone_of(target)
        return response

    def _zone_of(self, name: Name) -> HostedZone | None:
        """The zone with the longest name that the name ends in, unless it has given it away."""
        for depth in range(len(name.labels)):
            if zone := self._zones.get(Name(name.labels[depth:])):
                return None if zone.delegates(name) else zone
        return None

    def _refuse_wild_aliases(self) -> None:
        targets: dict[tuple[Name, RdataType], list[tuple[Name, RdataType]]] = {}
        for group in (group for zone in self._zones.values() for group in zone.groups()):
            name, kind = group[0].name, group[0].type
            aliases = [record.alias.target for record in group if record.alias]
            for target in aliases:
                if self._zone_of(target) is None:
                    raise EnvironmentFailed(
                        f"record {name} {kind.name} is an alias of {target}, which is in none of"
                        " the lab's hosted zones; aliases of AWS resources are not to be had here"
                    )
            targets[name, kind] = [(target, kind) for target in aliases]
        try:
            graphlib.TopologicalSorter(targets).prepare()
        except graphlib.CycleError as error:
            circle = " → ".join(str(name) for name, _ in error.args[1])
            raise EnvironmentFailed(f"alias records go round in a circle: {circle}") from error


def _say(
    response: dns.message.Message, zone: HostedZone, name: Name, kind: RdataType, choose: Choose
) -> Name | None:
    """Add what the zone holds of one name; the target where a CNAME leads on."""
    node = zone.node(name)
    if node is None:
        response.set_rcode(dns.rcode.NXDOMAIN)
        _add_soa(response, zone)
        return None
    if RdataType.CNAME in node and kind not in (RdataType.CNAME, RdataType.ANY):
        target = _add(response, name, choose(node[RdataType.CNAME]))
        return cast("CNAME", target).target if target else None
    groups = node.values() if kind == RdataType.ANY else [node.get(kind, ())]
    found = [_add(response, name, choose(group)) for group in groups]
    if not any(found):
        _add_soa(response, zone)
    return None


def _add(response: dns.message.Message, name: Name, records: Group) -> Rdata | None:
    """Answer with the values of these records, the first of which comes back."""
    values = [value for record in records for value in record.values]
    if not values:
        return None
    ttl = min(record.ttl for record in records)
    response.answer.append(dns.rrset.from_rdata_list(name, ttl, values))
    return values[0]


def _add_soa(response: dns.message.Message, zone: HostedZone) -> None:
    """How long the absence may be believed: the SOA's TTL or its minimum (RFC 2308, 3)."""
    for record in zone.nodes[zone.name].get(RdataType.SOA, ())[:1]:
        ttl = min(record.ttl, *(cast("SOA", value).minimum for value in record.values))
        response.authority.append(dns.rrset.from_rdata_list(zone.name, ttl, record.values))
