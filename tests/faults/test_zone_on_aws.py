"""A zone of an account goes dark: its named subnets alone, and what is asked to fail over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from campaigns.account import Account
from contract.account_cases import make_up, one_way
from moto_account import moto_account
from moto_place import MotoPlace, moto_place

from chaos.environments.environment import Environment
from chaos.errors import ChaosError
from chaos.faults.zone_outage import ZoneOutage
from chaos.history import Pull
from chaos.injection import Looker, Puller
from chaos.journal import Journal
from chaos.loops import Stopwatch
from chaos.rollback import put_back
from chaos.testing import Recording, check_fault
from chaos.testing.accounts import covered

ALLOWED = {"tags": {"chaos": "allowed"}}


def outage(**given: Any) -> ZoneOutage:
    settings = {"kind": "zone_outage", "zone": "us-east-1a", "lasts": 60, "subnets": ALLOWED}
    return ZoneOutage.model_validate(settings | given)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto_account() as endpoint:
        account = Account(endpoint)
        account.seed()
        yield account


@pytest.fixture
def place(account: Account) -> Iterator[Environment]:
    with moto_place(account.endpoint) as place:
        yield place


def test_the_named_subnets_of_the_zone_are_cut_and_put_back(
    account: Account, place: Environment
) -> None:
    before = account.dump()
    asyncio.run(check_fault(outage(), place))
    assert account.dump() == before


def test_of_two_zones_one_is_cut(account: Account, place: Environment, tmp_path: Path) -> None:
    async def check() -> None:
        found = await place.call("ec2", "us-east-1", "describe_subnets")
        here = {s["SubnetId"] for s in found["Subnets"] if s["AvailabilityZone"] == "us-east-1a"}
        puller, journal = _puller(place, tmp_path)
        await outage(zone="use1-az6", region="us-east-1").inject(Looker(place), puller.of_fault(0))
        cut = {pull.lever["subnet"] for pull in puller.pulls}
        assert cut == here & set(account.subnets("us-east-1"))
        assert len(cut) == 2
        back = await put_back(puller.pulls, place, journal)
        assert {pull.outcome for pull in back} == {"restored"}
        journal.close()

    asyncio.run(check())


def _puller(place: Environment, path: Path, *allowed: str) -> tuple[Puller, Journal]:
    journal = Journal.create(path / "journal.jsonl", Stopwatch())
    return Puller(place, journal, frozenset(allowed), run="run-1"), journal


def test_databases_and_caches_of_the_zone_fail_over_and_stay_so(
    place: Environment, tmp_path: Path
) -> None:
    asked = outage(databases=["orders", "users"], caches=["sessions"])

    async def check() -> list[Pull]:
        await one_way(place)
        _say_more(cast("MotoPlace", place))
        recording: Any = Recording(place)
        puller, journal = _puller(recording, tmp_path, "database_failover", "cache_failover")
        await asked.inject(Looker(recording), puller.of_fault(0))
        covered(asked.grants().looks + asked.grants().injects, recording.used)
        ended = await put_back(puller.pulls, place, journal)
        journal.close()
        return ended

    outcomes = {(pull.lever["kind"], pull.outcome) for pull in asyncio.run(check())}
    kept = {("database_failover", "kept"), ("cache_failover", "kept")}
    assert outcomes == kept | {("subnet_acl", "restored")}


def _say_more(place: MotoPlace) -> None:
    """What the plan looks at, and the made up answers do not tell."""
    instances, groups = (
        place.answers["rds", "describe_db_instances"],
        place.answers["elasticache", "describe_replication_groups"],
    )

    def instance(params: dict[str, Any]) -> dict[str, Any]:
        (found,) = instances(params)["DBInstances"]
        return {"DBInstances": [found | {"MultiAZ": True}]}

    def group(params: dict[str, Any]) -> dict[str, Any]:
        (found,) = groups(params)["ReplicationGroups"]
        for node in found["NodeGroups"][0]["NodeGroupMembers"]:
            node["PreferredAvailabilityZone"] = "us-east-1a"
        return {"ReplicationGroups": [found]}

    place.answers["rds", "describe_db_instances"] = instance
    place.answers["elasticache", "describe_replication_groups"] = group


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subnets": None}, "say which subnets are cut off"),
        ({"zone": "us-east-1x"}, r"no zone 'us-east-1x' in us-east-1; there is us-east-1a \(use1-"),
        ({"zone": "use1-az6"}, "is the id of a zone: say which 'region' has it"),
        ({"region": "us-west-2"}, "the zone us-east-1a is not in us-west-2"),
        ({"zone": "us-east-1f"}, "3 match in us-east-1, and none of them is in us-east-1f"),
        ({"databases": ["nobody"]}, "there is no database nobody in us-east-1"),
        ({"caches": ["nobody"]}, "there is no replication group nobody in us-east-1"),
        ({"mode": "refuse"}, "leave 'mode' out"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_touched(
    place: Environment, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    async def check() -> None:
        recording: Any = Recording(place)
        puller, journal = _puller(recording, tmp_path)
        with pytest.raises(ChaosError, match=said):
            await outage(**change).inject(Looker(recording), puller.of_fault(0))
        assert recording.changes == []
        journal.close()

    asyncio.run(check())


def test_a_failover_that_is_not_allowed_is_refused(place: Environment, tmp_path: Path) -> None:
    async def check() -> None:
        make_up(cast("MotoPlace", place))
        _say_more(cast("MotoPlace", place))
        puller, journal = _puller(place, tmp_path)
        with pytest.raises(ChaosError, match=r"write allow_irreversible: \[database_failover\]"):
            await outage(databases=["users"]).inject(Looker(place), puller.of_fault(0))
        await put_back(puller.pulls, place, journal)
        journal.close()

    asyncio.run(check())
