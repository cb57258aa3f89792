"""The lever of DNS Firewall, in the stand-in for it: moto has none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from moto_account import REGION, moto_account
from moto_place import moto_place
from stale_place import Stale

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InvalidInput
from chaos.faults.dns_failure import DnsFailure
from chaos.injection import Looker
from chaos.levers import dns_firewall
from chaos.levers.dns_firewall import DnsFirewall
from chaos.levers.paging import every
from chaos.testing import check_account_lever, check_nothing_idle
from chaos.testing.accounts import Recording

RUN = "20261121-185000-dns-ab12"
NXDOMAIN = {"names": ["*.stream.example", "stream.example"], "block": "NXDOMAIN"}
TWO_TYPES = {"names": ["*"], "block": "NODATA", "types": ["A", "AAAA"]}
ELSEWHERE = {"names": ["a.example"], "block": "OVERRIDE", "to": "sorry.example", "ttl": 30}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_firewall, "POLL_S", 0.01)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_account() as endpoint:
        yield endpoint


def in_moto(endpoint: str, work: Callable[[Environment, str], Awaitable[None]]) -> None:
    """With a VPC of its own."""

    async def main() -> None:
        with moto_place(endpoint) as place:
            made = await place.call("ec2", REGION, "create_vpc", CidrBlock="10.9.0.0/16")
            await asyncio.wait_for(work(place, made["Vpc"]["VpcId"]), 120)

    asyncio.run(main())


async def resolver(place: Environment, operation: str, **params: Any) -> dict[str, Any]:
    return await place.call("route53resolver", REGION, operation, **params)


async def listed(place: Environment, operation: str, key: str, **params: Any) -> list[Any]:
    return await every(place.call, "route53resolver", REGION, operation, key, **params)


async def theirs(place: Environment, vpc: str, priority: int) -> str:
    """A rule group of theirs at the VPC, with that priority."""
    name = f"theirs-{vpc}-{priority}"
    group = await resolver(place, "create_firewall_rule_group", CreatorRequestId=name, Name=name)
    made = await resolver(
        place,
        "associate_firewall_rule_group",
        CreatorRequestId=name,
        FirewallRuleGroupId=group["FirewallRuleGroup"]["Id"],
        VpcId=vpc,
        Priority=priority,
        Name=name,
    )
    return str(made["FirewallRuleGroupAssociation"]["Id"])


async def dump(place: Environment) -> str:
    """All that is there; the associations first, as each look lets time pass for them."""
    parts = {
        "list_firewall_rule_group_associations": "FirewallRuleGroupAssociations",
        "list_firewall_rule_groups": "FirewallRuleGroups",
        "list_firewall_domain_lists": "FirewallDomainLists",
    }
    found = {o: await listed(place, o, key) for o, key in parts.items()}
    return json.dumps(found, sort_keys=True)


@pytest.mark.parametrize("value", [NXDOMAIN, TWO_TYPES, ELSEWHERE], ids=lambda v: v["block"])
def test_it_keeps_to_what_is_asked_of_levers_of_accounts(
    endpoint: str, value: dict[str, Any]
) -> None:
    async def work(place: Environment, vpc: str) -> None:
        await theirs(place, vpc, 101)
        await dump(place)
        await dump(place)  # theirs is settled now
        lever = DnsFirewall(region=REGION, vpc=vpc, run=RUN)
        used = await check_account_lever(lever, place, value, snapshot=lambda: dump(place))
        recording = Recording(place)
        await lever.set(place, value)
        await _protect(place, lever)
        await lever.set(cast("Environment", recording), None)
        check_nothing_idle(DnsFirewall.grants, used | recording.used)

    in_moto(endpoint, work)


async def _association(place: Environment, lever: DnsFirewall) -> dict[str, Any]:
    there = await listed(
        place,
        "list_firewall_rule_group_associations",
        "FirewallRuleGroupAssociations",
        VpcId=lever.vpc,
    )
    [ours] = [one for one in there if one["Name"].startswith("chaos-")]
    return dict(ours)


async def _protect(place: Environment, lever: DnsFirewall) -> None:
    """As somebody does who protects all associations of an account."""
    ours = await _association(place, lever)
    assert ours["MutationProtection"] == "DISABLED"
    await resolver(
        place,
        "update_firewall_rule_group_association",
        FirewallRuleGroupAssociationId=ours["Id"],
        MutationProtection="ENABLED",
    )


def test_it_is_looked_at_before_all_others_and_takes_no_priority_in_use(endpoint: str) -> None:
    async def work(place: Environment, vpc: str) -> None:
        for priority in (101, 102, 200):
            await theirs(place, vpc, priority)
        lever = DnsFirewall(region=REGION, vpc=vpc, run=f"{RUN}-first")
        await lever.set(place, NXDOMAIN)
        assert (await _association(place, lever))["Priority"] == 103
        await lever.set(place, None)

    in_moto(endpoint, work)


def test_a_rule_that_somebody_edited_is_no_state_of_ours(endpoint: str) -> None:
    async def work(place: Environment, vpc: str) -> None:
        lever = DnsFirewall(region=REGION, vpc=vpc, run=f"{RUN}-edited")
        await lever.set(place, NXDOMAIN)
        ours = await listed(place, "list_firewall_domain_lists", "FirewallDomainLists")
        [id_] = [one["Id"] for one in ours if f"{vpc}-" in one["Name"]]
        more = {"Operation": "REPLACE", "Domains": ["other.example"]}
        await resolver(place, "update_firewall_domains", FirewallDomainListId=id_, **more)
        found = await lever.read(place)
        assert found == {"names": ["other.example"], "block": "NXDOMAIN"}
        assert not lever.halfway(found, None, NXDOMAIN)

    in_moto(endpoint, work)


def failure(**given: Any) -> DnsFailure:
    return DnsFailure.model_validate(
        {"kind": "dns_failure", "how": "nxdomain", "lasts": "60s", "via": "vpc", "region": REGION}
        | given
    )


def test_a_vpc_that_has_as_many_groups_as_it_may_is_refused(endpoint: str) -> None:
    async def work(place: Environment, vpc: str) -> None:
        for priority in range(201, 206):
            await theirs(place, vpc, priority)

        async def pull(lever: Any, value: Any, /) -> None:
            raise AssertionError(f"{lever} is pulled to {value}")

        with pytest.raises(InvalidInput, match=f"{vpc} has 5 rule groups of DNS Firewall, which"):
            await failure(vpcs={"ids": [vpc]}).inject(Looker(place), pull)
        lever = DnsFirewall(region=REGION, vpc=vpc, run=f"{RUN}-full")
        with pytest.raises(CallFailed, match="LimitExceeded"):
            await lever.set(place, NXDOMAIN)
        await lever.set(place, None)
        assert await lever.read(place) is None

    in_moto(endpoint, work)


def test_the_fault_pulls_one_lever_for_each_vpc(endpoint: str) -> None:
    async def work(place: Environment, vpc: str) -> None:
        tags = [{"Key": "chaos", "Value": vpc}]
        await place.call("ec2", REGION, "create_tags", Resources=[vpc], Tags=tags)
        pulled: list[Any] = []

        async def pull(lever: Any, value: Any, /) -> None:
            pulled.append((lever, value))

        given = {"names": ["a.example"], "types": ["A"], "vpcs": {"tags": {"chaos": vpc}}}
        await failure(**given).inject(Looker(place), pull)
        value = {"names": ["a.example"], "block": "NXDOMAIN", "types": ["A"]}
        assert pulled == [(DnsFirewall(region=REGION, vpc=vpc), value)]
        with pytest.raises(InvalidInput, match="none in us-east-1 has the tags chaos=none"):
            await failure(vpcs={"tags": {"chaos": "none"}}).inject(Looker(place), pull)

    in_moto(endpoint, work)


def test_another_run_is_told_whose_it_is(endpoint: str) -> None:
    async def work(place: Environment, vpc: str) -> None:
        lever = DnsFirewall(region=REGION, vpc=vpc, run=f"{RUN}-one")
        await lever.set(place, NXDOMAIN)
        with pytest.raises(InvalidInput, match=f"still held by the run {RUN}-one; put that back"):
            await replace(lever, run=f"{RUN}-two").read(place)
        await lever.set(place, None)

    in_moto(endpoint, work)


def test_reads_that_are_late_make_nothing_twice(endpoint: str) -> None:
    async def work(place: Environment, vpc: str) -> None:
        stale = cast("Environment", Stale(place, lag=3))
        lever = DnsFirewall(region=REGION, vpc=vpc, run=f"{RUN}-stale")
        before = await dump(place)
        await lever.set(stale, TWO_TYPES)
        assert await lever.read(place) == TWO_TYPES
        await lever.set(stale, None)
        assert await dump(place) == before

    in_moto(endpoint, work)
