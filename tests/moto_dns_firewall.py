"""A stand-in for Route 53 Resolver DNS Firewall, of which moto knows nothing, inside moto's server.

It has state, the shapes of botocore's models (what it is sent is checked against them), what the
API reference says is refused, and states that take a look or two to pass. It answers no DNS.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator
from moto.core.exceptions import JsonRESTError
from moto.ec2.models import ec2_backends
from moto.route53resolver.responses import Route53ResolverResponse

MOST_GROUPS = 5  # of a VPC
PRIORITIES = range(100, 9901)
LATER = 2  # looks that it takes for what is UPDATING or DELETING to be done

Item = dict[str, Any]


@dataclass
class Firewall:
    """The DNS Firewall of one account and region, by ids."""

    account: str
    region: str
    items: dict[str, dict[str, Item]] = field(
        default_factory=lambda: {"list": {}, "group": {}, "place": {}}
    )
    tags: dict[str, list[Item]] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)  # still needed, by id
    made: int = 0

    def add(self, kind: str, arn: str, given: Item, **more: Any) -> Item:
        for one in self.items[kind].values():
            if one["CreatorRequestId"] == given["CreatorRequestId"]:
                return one  # the answer to the first was lost
        self.made += 1
        prefix = {"list": "rslvr-fdl", "group": "rslvr-frg", "place": "rslvr-frgassoc"}[kind]
        id_ = f"{prefix}-{self.made:016x}"
        one = {
            "Id": id_,
            "Arn": f"arn:aws:route53resolver:{self.region}:{self.account}:{arn}/{id_}",
            "Name": given["Name"],
            "CreatorRequestId": given["CreatorRequestId"],
            "Status": "COMPLETE",
            **more,
        }
        self.items[kind][id_] = one
        self.tags[one["Arn"]] = given.get("Tags", [])
        return one

    def get(self, kind: str, id_: str) -> Item:
        if id_ not in self.items[kind]:
            raise JsonRESTError("ResourceNotFoundException", f"there is no {id_}")
        return self.items[kind][id_]

    def drop(self, kind: str, id_: str) -> Item:
        one = self.items[kind].pop(id_)
        self.tags.pop(one["Arn"], None)
        return one

    def passes(self, id_: str, status: str) -> None:
        """From now on it is in that state, for a few looks."""
        for items in self.items.values():
            if id_ in items:
                items[id_]["Status"] = status
        self.looks[id_] = LATER

    def looked(self) -> None:
        for id_ in list(self.looks):
            self.looks[id_] -= 1
            if self.looks[id_] > 0:
                continue
            del self.looks[id_]
            for kind, items in self.items.items():
                if id_ in items and items[id_]["Status"] == "DELETING":
                    self.drop(kind, id_)
                elif id_ in items:
                    items[id_]["Status"] = "COMPLETE"


@functools.cache
def firewall(account: str, region: str) -> Firewall:
    return Firewall(account, region)


def refuse(code: str, why: str, when: bool) -> None:
    if when:
        raise JsonRESTError(f"{code}Exception", why)


def create_firewall_domain_list(here: Firewall, given: Item) -> Item:
    one = here.add("list", "firewall-domain-list", given, DomainCount=0, Domains=[])
    return {"FirewallDomainList": shown(one)}


def update_firewall_domains(here: Firewall, given: Item) -> Item:
    one = here.get("list", given["FirewallDomainListId"])
    refuse("Conflict", "it is being updated", one["Status"] != "COMPLETE")
    refuse("Validation", "only REPLACE is known here", given["Operation"] != "REPLACE")
    for name in given["Domains"]:
        rest = name.removeprefix("*.") if name != "*" else "any"
        letters = rest.replace(".", "").replace("-", "").replace("_", "")
        refuse("Validation", f"bad domain {name}", not letters.isalnum())
    one["Domains"] = [f"{name.rstrip('.')}." for name in given["Domains"]]
    here.passes(one["Id"], "UPDATING")
    return {key: one[key] for key in ("Id", "Name", "Status")}


def get_firewall_domain_list(here: Firewall, given: Item) -> Item:
    here.looked()
    return {"FirewallDomainList": shown(here.get("list", given["FirewallDomainListId"]))}


def list_firewall_domain_lists(here: Firewall, given: Item) -> Item:
    return paged("FirewallDomainLists", [shown(o) for o in here.items["list"].values()], given)


def list_firewall_domains(here: Firewall, given: Item) -> Item:
    return paged("Domains", here.get("list", given["FirewallDomainListId"])["Domains"], given)


def delete_firewall_domain_list(here: Firewall, given: Item) -> Item:
    id_ = here.get("list", given["FirewallDomainListId"])["Id"]
    rules = [rule for group in here.items["group"].values() for rule in group["Rules"]]
    used = any(rule["FirewallDomainListId"] == id_ for rule in rules)
    refuse("Conflict", "a rule uses the list", used)
    return {"FirewallDomainList": shown(here.drop("list", id_))}


def create_firewall_rule_group(here: Firewall, given: Item) -> Item:
    one = here.add("group", "firewall-rule-group", given, Rules=[], OwnerId=here.account)
    return {"FirewallRuleGroup": shown(one)}


def list_firewall_rule_groups(here: Firewall, given: Item) -> Item:
    return paged("FirewallRuleGroups", [shown(o) for o in here.items["group"].values()], given)


def delete_firewall_rule_group(here: Firewall, given: Item) -> Item:
    one = here.get("group", given["FirewallRuleGroupId"])
    places = here.items["place"].values()
    used = any(place["FirewallRuleGroupId"] == one["Id"] for place in places)
    refuse("Conflict", "the group is associated with a VPC", used)
    refuse("Conflict", "the group has rules", bool(one["Rules"]))
    return {"FirewallRuleGroup": shown(here.drop("group", one["Id"]))}


def create_firewall_rule(here: Firewall, given: Item) -> Item:
    rules = here.get("group", given["FirewallRuleGroupId"])["Rules"]
    here.get("list", given["FirewallDomainListId"])
    block = given.get("BlockResponse")
    override = ("BlockOverrideDomain", "BlockOverrideDnsType", "BlockOverrideTtl")
    refuse("Validation", "BLOCK needs BlockResponse", given["Action"] == "BLOCK" and not block)
    lacking = any(key not in given for key in override)
    refuse("Validation", "OVERRIDE needs all three", block == "OVERRIDE" and lacking)
    for rule in rules:
        same = [rule.get(k) == given.get(k) for k in ("FirewallDomainListId", "Qtype")]
        refuse("Validation", "there is such a rule", all(same))
        refuse("Validation", "priority is taken", rule["Priority"] == given["Priority"])
    rules.append(given)
    return {"FirewallRule": given}


def list_firewall_rules(here: Firewall, given: Item) -> Item:
    rules = here.get("group", given["FirewallRuleGroupId"])["Rules"]
    return paged("FirewallRules", sorted(rules, key=lambda rule: rule["Priority"]), given)


def delete_firewall_rule(here: Firewall, given: Item) -> Item:
    rules = here.get("group", given["FirewallRuleGroupId"])["Rules"]
    for rule in rules:
        if all(rule.get(k) == given.get(k) for k in ("FirewallDomainListId", "Qtype")):
            rules.remove(rule)
            return {"FirewallRule": rule}
    raise JsonRESTError("ResourceNotFoundException", "there is no such rule")


def associate_firewall_rule_group(here: Firewall, given: Item) -> Item:
    here.get("group", given["FirewallRuleGroupId"])
    vpcs = ec2_backends[here.account][here.region].vpcs
    refuse("ResourceNotFound", "no such VPC", given["VpcId"] not in vpcs)
    there = [p for p in here.items["place"].values() if p["VpcId"] == given["VpcId"]]
    refuse("LimitExceeded", "the VPC has as many as it may", len(there) >= MOST_GROUPS)
    refuse("Validation", "priority", given["Priority"] not in PRIORITIES)
    refuse("Validation", "priority", given["Priority"] in [p["Priority"] for p in there])
    keys = ("FirewallRuleGroupId", "VpcId", "Priority", "MutationProtection")
    more = {"MutationProtection": "DISABLED"} | {k: given[k] for k in keys if k in given}
    one = here.add("place", "firewall-rule-group-association", given, **more)
    here.passes(one["Id"], "UPDATING")
    return {"FirewallRuleGroupAssociation": shown(one)}


def list_firewall_rule_group_associations(here: Firewall, given: Item) -> Item:
    here.looked()
    found = [
        shown(one)
        for one in here.items["place"].values()
        if given.get("VpcId") in (None, one["VpcId"])
    ]
    return paged("FirewallRuleGroupAssociations", found, given)


def update_firewall_rule_group_association(here: Firewall, given: Item) -> Item:
    one = here.get("place", given["FirewallRuleGroupAssociationId"])
    keys = ("Priority", "MutationProtection", "Name")
    one |= {key: given[key] for key in keys if key in given}
    return {"FirewallRuleGroupAssociation": shown(one)}


def disassociate_firewall_rule_group(here: Firewall, given: Item) -> Item:
    one = here.get("place", given["FirewallRuleGroupAssociationId"])
    refuse("Conflict", "it is being deleted", one["Status"] == "DELETING")
    refuse("Conflict", "mutation protection", one["MutationProtection"] == "ENABLED")
    here.passes(one["Id"], "DELETING")
    return {"FirewallRuleGroupAssociation": shown(one)}


def shown(one: Item) -> Item:
    return {key: value for key, value in one.items() if key not in ("Domains", "Rules")}


def paged(key: str, found: list[Any], given: Item) -> Item:
    """Two a page, so that whoever does not turn pages is found out."""
    start = int(given.get("NextToken", 0))
    more = {"NextToken": str(start + 2)} if len(found) > start + 2 else {}
    return {key: found[start : start + 2], **more}


OPERATIONS: list[Callable[[Firewall, Item], Item]] = [
    create_firewall_domain_list,
    update_firewall_domains,
    get_firewall_domain_list,
    list_firewall_domain_lists,
    list_firewall_domains,
    delete_firewall_domain_list,
    create_firewall_rule_group,
    list_firewall_rule_groups,
    delete_firewall_rule_group,
    create_firewall_rule,
    list_firewall_rules,
    delete_firewall_rule,
    associate_firewall_rule_group,
    list_firewall_rule_group_associations,
    update_firewall_rule_group_association,
    disassociate_firewall_rule_group,
]


def add_to_moto() -> None:
    """From now on moto's Route 53 Resolver has it."""
    model = botocore.session.get_session().get_service_model("route53resolver")
    names = {xform_name(name): name for name in model.operation_names}

    def answering(operation: Callable[[Firewall, Item], Item]) -> Callable[[Any], str]:
        shape = model.operation_model(names[operation.__name__]).input_shape
        assert shape is not None

        def answer(self: Any) -> str:
            given = json.loads(self.body or "{}")
            report = ParamValidator().validate(given, shape)
            refuse("Validation", report.generate_report(), report.has_errors())
            return json.dumps(operation(firewall(self.current_account, self.region), given))

        return answer

    for operation in OPERATIONS:
        setattr(Route53ResolverResponse, operation.__name__, answering(operation))
    of_moto = Route53ResolverResponse.list_tags_for_resource

    def list_tags_for_resource(self: Any) -> str:
        arn = json.loads(self.body)["ResourceArn"]
        here = firewall(self.current_account, self.region)
        return json.dumps({"Tags": here.tags[arn]}) if arn in here.tags else of_moto(self)

    Route53ResolverResponse.list_tags_for_resource = list_tags_for_resource  # type: ignore[method-assign]
