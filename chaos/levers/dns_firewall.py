"""The lever that makes a VPC's own resolver refuse names: Route 53 Resolver DNS Firewall."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import CallFailed
from chaos.levers import firewall_api as api
from chaos.levers.firewall_api import GRANTS, SERVICE, Firewall, Found
from chaos.levers.lever import Value
from chaos.levers.marked import tag_map, tags
from chaos.levers.paging import every
from chaos.levers.powers import Call, Grants, Target
from chaos.levers.settled import settled

# Below 101 and above 9900 is for AWS Firewall Manager. The lowest is looked at first.
PRIORITIES = range(101, 9901)
POLL_S = 2.0
WITHIN_S = 300.0  # a list, a group or an association, to be there or to be gone
# What AWS answers while it does not know yet what it was told before.
NOT_YET = ("ConflictException", "ResourceNotFoundException")


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFirewall:
    """The answers that a VPC's resolver gives for some names instead of the true ones, or none.

    A list of the names, a rule group and its association with the VPC are created for the run, and
    looked at before all others of the VPC. Put back by taking the association away and deleting the
    three; other rule groups, and what the VPC does when the firewall fails, are never touched.
    """

    kind: ClassVar[str] = "dns_firewall"
    irreversible: ClassVar[bool] = False
    budget_s: ClassVar[float] = WITHIN_S + 60
    grants: ClassVar[Grants] = GRANTS

    region: str
    vpc: str
    run: str = ""

    async def read(self, environment: Environment) -> Value:
        found = await self._look(environment)
        if found.empty:
            return None
        if not found.whole:
            return {"partly": found.told()}
        rules = await api.rules(environment, self.region, found.groups[0]["Id"])
        names = await api.domains(environment, self.region, found.lists[0]["Id"])
        return _value(names, rules) or {"partly": found.told()}

    async def set(self, environment: Environment, value: Value) -> None:
        made: dict[str, str] = {}  # a look may not tell of it yet, and one of each is enough
        step = partial(self._put, environment, value, made)
        if value is None:
            step = partial(self._remove, environment)
        await settled(self, environment, value, step, *NOT_YET)

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """List, group, a rule for each type and the association; or them backwards."""
        if value is not None:
            rules = ["create_firewall_rule"] * len(_types(value))
            made = [
                "create_firewall_domain_list",
                "update_firewall_domains",
                "create_firewall_rule_group",
                *rules,
                "associate_firewall_rule_group",
            ]
        else:
            made = [
                "disassociate_firewall_rule_group",
                *["delete_firewall_rule"] * len(_types(prior or {})),
                "delete_firewall_rule_group",
                "delete_firewall_domain_list",
            ]
        return [
            Call(service=SERVICE, region=self.region, operation=one, to=f"ours, for {self.vpc}")
            for one in made
        ]

    def halfway(self, found: Value, prior: Value, value: Value) -> bool:
        """Some of ours is there."""
        return isinstance(found, dict) and found.keys() == {"partly"}

    async def targets(self, environment: Environment) -> list[Target]:
        """The VPC."""
        found = await every(environment.call, "ec2", self.region, "describe_vpcs", "Vpcs")
        return [
            Target(
                type="ec2:vpc",
                id=self.vpc,
                region=self.region,
                tags=tag_map(vpc.get("Tags")),
                among=len(found),
            )
            for vpc in found
            if vpc["VpcId"] == self.vpc
        ]

    async def _put(
        self, environment: Environment, value: dict[str, Any], made: dict[str, str]
    ) -> None:
        found = await self._look(environment)
        if "list" not in made:
            made["list"] = await self._list(environment, found, value["names"])
        await self._group(environment, found, value, made)
        if not found.places and "place" not in made:
            await self._associate(environment, found, made["group"])
            made["place"] = "ours"
        await self._until(
            environment, lambda now: [p["Status"] for p in now.places] == ["COMPLETE"]
        )

    async def _list(self, environment: Environment, found: Firewall, names: list[str]) -> str:
        """The id of our list, with these names in it."""
        if found.lists:
            id_ = str(found.lists[0]["Id"])
        else:
            answer = await self._create(environment, "create_firewall_domain_list")
            id_ = str(answer["FirewallDomainList"]["Id"])
        if await api.domains(environment, self.region, id_) != sorted(names):
            await self._call(
                environment,
                "update_firewall_domains",
                FirewallDomainListId=id_,
                Operation="REPLACE",
                Domains=names,
            )
        await self._complete(environment, id_)
        return id_

    async def _complete(self, environment: Environment, id_: str) -> None:
        """A list takes a moment to take names in."""

        async def done() -> bool:
            answer = await self._call(
                environment, "get_firewall_domain_list", FirewallDomainListId=id_
            )
            return bool(answer["FirewallDomainList"]["Status"] == "COMPLETE")

        await self._wait(done)

    async def _group(
        self,
        environment: Environment,
        found: Firewall,
        value: dict[str, Any],
        made: dict[str, str],
    ) -> None:
        """Our group, with a rule for each type of question."""
        if found.groups:
            made["group"] = str(found.groups[0]["Id"])
        elif "group" not in made:
            answer = await self._create(environment, "create_firewall_rule_group")
            made["group"] = str(answer["FirewallRuleGroup"]["Id"])
        rules = await api.rules(environment, self.region, made["group"])
        there = {rule.get("Qtype") for rule in rules}
        for number, kind in enumerate(_types(value), start=1):
            if kind not in there and f"rule {kind}" not in made:
                await self._rule(environment, made, number, kind, value)
                made[f"rule {kind}"] = "ours"

    async def _rule(
        self,
        environment: Environment,
        made: dict[str, str],
        number: int,
        kind: str | None,
        value: dict[str, Any],
    ) -> None:
        instead = {}
        if value["block"] == "OVERRIDE":
            instead = {
                "BlockOverrideDomain": value["to"],
                "BlockOverrideDnsType": "CNAME",
                "BlockOverrideTtl": value["ttl"],
            }
        await self._call(
            environment,
            "create_firewall_rule",
            CreatorRequestId=f"{api.name_of(self.vpc, self.run)}-{kind}",
            FirewallRuleGroupId=made["group"],
            FirewallDomainListId=made["list"],
            Priority=number,
            Action="BLOCK",
            BlockResponse=value["block"],
            Name=f"chaos-{kind or 'all'}",
            **instead,
            **({"Qtype": kind} if kind else {}),
        )

    async def _associate(self, environment: Environment, found: Firewall, group: str) -> None:
        taken = {place["Priority"] for place in found.others}
        await self._create(
            environment,
            "associate_firewall_rule_group",
            FirewallRuleGroupId=group,
            VpcId=self.vpc,
            Priority=next(number for number in PRIORITIES if number not in taken),
            MutationProtection="DISABLED",
        )

    async def _remove(self, environment: Environment) -> None:
        found = await self._look(environment)
        for place in found.places:
            if place["Status"] != "DELETING":
                await self._disassociate(environment, place)
        await self._until(environment, lambda now: not now.places)
        for group in found.groups:
            for rule in await api.rules(environment, self.region, group["Id"]):
                keys = ("FirewallRuleGroupId", "FirewallDomainListId", "Qtype")
                which = {key: rule[key] for key in keys if rule.get(key)}
                await self._call(environment, "delete_firewall_rule", **which)
            await self._call(
                environment, "delete_firewall_rule_group", FirewallRuleGroupId=group["Id"]
            )
        for one in found.lists:
            await self._call(
                environment, "delete_firewall_domain_list", FirewallDomainListId=one["Id"]
            )

    async def _disassociate(self, environment: Environment, place: Found) -> None:
        """Ours is created unprotected; whoever has protected it since did not mean it to stay."""
        named = {"FirewallRuleGroupAssociationId": place["Id"]}
        if place.get("MutationProtection") == "ENABLED":
            await self._call(
                environment,
                "update_firewall_rule_group_association",
                MutationProtection="DISABLED",
                **named,
            )
        await self._call(environment, "disassociate_firewall_rule_group", **named)

    async def _until(self, environment: Environment, so: Callable[[Firewall], bool]) -> None:
        async def done() -> bool:
            return so(await self._look(environment))

        await self._wait(done)

    async def _wait(self, done: Callable[[], Awaitable[bool]]) -> None:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + WITHIN_S
        while not await done():
            if loop.time() > give_up:
                raise CallFailed(f"the DNS Firewall of {self.vpc}", "NotSettled", "AWS is not done")
            await asyncio.sleep(POLL_S)

    async def _look(self, environment: Environment) -> Firewall:
        return await api.look(environment, self.region, self.vpc, self.run)

    async def _create(self, environment: Environment, operation: str, **params: Any) -> Found:
        """With our name and mark; a create whose answer was lost is not done twice."""
        name = api.name_of(self.vpc, self.run)
        return await self._call(
            environment,
            operation,
            CreatorRequestId=name,
            Name=name,
            Tags=tags(self.run, self.vpc),
            **params,
        )

    async def _call(self, environment: Environment, operation: str, **params: Any) -> Found:
        return await environment.call(SERVICE, self.region, operation, **params)


def _types(value: dict[str, Any]) -> list[str | None]:
    """Of the questions, one a rule; None: all."""
    return list(value.get("types") or [None])


def _value(names: list[str], rules: list[Found]) -> Value:
    """What was set, from what AWS tells of it; None when it is not complete."""
    if not names or not rules:
        return None
    found: dict[str, Any] = {"names": names, "block": rules[0].get("BlockResponse")}
    if kinds := sorted(rule["Qtype"] for rule in rules if rule.get("Qtype")):
        found["types"] = kinds
    if found["block"] == "OVERRIDE":
        found["to"] = str(rules[0]["BlockOverrideDomain"]).rstrip(".")
        found["ttl"] = rules[0]["BlockOverrideTtl"]
    return found
