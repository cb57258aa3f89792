"""What a VPC's DNS Firewall has of ours: the list of names, the group of rules, and where it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from chaos.environments.environment import Environment
from chaos.levers.marked import FOR, TAG, refuse_others, tag_map
from chaos.levers.paging import every
from chaos.levers.powers import Grant, Grants

Found = dict[str, Any]

SERVICE = "route53resolver"
PREFIX = "chaos-"
LISTS = "arn:aws:route53resolver:*:*:firewall-domain-list/*"
GROUPS = "arn:aws:route53resolver:*:*:firewall-rule-group/*"
PLACES = "arn:aws:route53resolver:*:*:firewall-rule-group-association/*"
OURS = {"StringLike": {f"aws:ResourceTag/{TAG}": "*"}}
TAGGED = {"StringLike": {f"aws:RequestTag/{TAG}": "*"}}


def _may(*operations: str, on: tuple[str, ...] = ("*",), **conditions: Any) -> Grant:
    actions = tuple(f"{SERVICE}:{operation}" for operation in operations)
    return Grant(actions=actions, resources=on, **conditions)


GRANTS = Grants(
    looks=(
        _may(
            "ListFirewallRuleGroupAssociations",
            "ListFirewallRuleGroups",
            "ListFirewallDomainLists",
            "ListFirewallRules",
            "ListFirewallDomains",
            "GetFirewallDomainList",
            "ListTagsForResource",
        ),
        Grant(actions=("ec2:DescribeVpcs",)),
    ),
    injects=(
        _may("CreateFirewallDomainList", on=(LISTS,), conditions=TAGGED),
        _may("CreateFirewallRuleGroup", on=(GROUPS,), conditions=TAGGED),
        _may("TagResource", on=(LISTS, GROUPS, PLACES), conditions=TAGGED),
        _may("UpdateFirewallDomains", on=(LISTS,), conditions=OURS),
        _may("CreateFirewallRule", on=(GROUPS, LISTS)),
        _may("AssociateFirewallRuleGroup", on=(GROUPS, PLACES)),
    ),
    puts_back=(
        _may(
            "UpdateFirewallRuleGroupAssociation",
            "DisassociateFirewallRuleGroup",
            on=(PLACES, GROUPS),
        ),
        _may("DeleteFirewallRule", on=(GROUPS, LISTS)),
        _may("DeleteFirewallRuleGroup", on=(GROUPS,), conditions=OURS),
        _may("DeleteFirewallDomainList", on=(LISTS,), conditions=OURS),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """The DNS Firewall of one VPC. `others` are the associations that are not this run's."""

    lists: list[Found]
    groups: list[Found]
    places: list[Found]
    others: list[Found]

    @property
    def empty(self) -> bool:
        """Whether there is nothing of ours."""
        return not (self.lists or self.groups or self.places)

    @property
    def whole(self) -> bool:
        """Whether all of ours is there once, and works."""
        once = len(self.lists) == len(self.groups) == len(self.places) == 1
        return once and self.places[0]["Status"] == "COMPLETE"

    def told(self) -> dict[str, Any]:
        """What there is of ours, when that is not all of it."""
        states = sorted(place["Status"] for place in self.places)
        return {"lists": len(self.lists), "groups": len(self.groups), "places": states}


def name_of(vpc: str, run: str) -> str:
    """The name of all that a run creates for a VPC: at most 64 letters, digits and hyphens."""
    return f"{PREFIX}{vpc}-{hashlib.sha256(run.encode()).hexdigest()[:16]}"


async def look(environment: Environment, region: str, vpc: str, run: str) -> Firewall:
    """What there is; raises InvalidInput when another run holds the VPC, and CallFailed."""
    here = await _listed(
        environment,
        region,
        "list_firewall_rule_group_associations",
        "FirewallRuleGroupAssociations",
        VpcId=vpc,
    )
    places: list[Found] = []
    others: list[Found] = []
    for place in here:
        mark = await _mark(environment, region, place) if _maybe(place, vpc) else {}
        if mark.get(FOR) == vpc:
            refuse_others(f"the DNS Firewall of {vpc}", mark[TAG], run)
        (places if mark.get(FOR) == vpc else others).append(place)
    lists = await _ours(
        environment, region, "list_firewall_domain_lists", "FirewallDomainLists", vpc, run
    )
    groups = await _ours(
        environment, region, "list_firewall_rule_groups", "FirewallRuleGroups", vpc, run
    )
    return Firewall(lists=lists, groups=groups, places=places, others=others)


async def rules(environment: Environment, region: str, group: str) -> list[Found]:
    """All rules of a group."""
    return await _listed(
        environment, region, "list_firewall_rules", "FirewallRules", FirewallRuleGroupId=group
    )


async def domains(environment: Environment, region: str, domain_list: str) -> list[str]:
    """The names in a list, as people write them: Resolver keeps them with a dot at the end."""
    found = await _listed(
        environment,
        region,
        "list_firewall_domains",
        "Domains",
        FirewallDomainListId=domain_list,
    )
    return sorted(name.rstrip(".") for name in found)


async def _ours(
    environment: Environment, region: str, operation: str, key: str, vpc: str, run: str
) -> list[Found]:
    """Only what is so tagged, whatever it is called."""
    found = await _listed(environment, region, operation, key)
    maybe = [one for one in found if one.get("Name") == name_of(vpc, run)]
    marks = [await _mark(environment, region, one) for one in maybe]
    return [one for one, mark in zip(maybe, marks, strict=True) if mark.get(TAG) == run]


def _maybe(place: Found, vpc: str) -> bool:
    return str(place.get("Name", "")).startswith(f"{PREFIX}{vpc}-")


async def _mark(environment: Environment, region: str, one: Found) -> dict[str, str]:
    answer = await environment.call(
        SERVICE, region, "list_tags_for_resource", ResourceArn=one["Arn"]
    )
    return tag_map(answer.get("Tags"))


async def _listed(
    environment: Environment, region: str, operation: str, key: str, **params: Any
) -> list[Any]:
    return await every(environment.call, SERVICE, region, operation, key, **params)
