"""A region of an account goes dark and comes back: only what is named, and exactly as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from campaigns.account import Account
from moto_account import moto_account
from moto_place import moto_place

from chaos.environments.environment import Environment
from chaos.errors import ChaosError
from chaos.faults.region_outage import RegionOutage
from chaos.history import Pull
from chaos.injection import Looker, Puller
from chaos.journal import Journal
from chaos.levers import expiry
from chaos.levers.marked import TAG
from chaos.loops import Stopwatch
from chaos.rollback import put_back
from chaos.testing import Recording, check_fault
from chaos.testing.accounts import covered

EAST, WEST = "us-east-1", "us-west-2"
ALLOWED = {"tags": {"chaos": "allowed"}}
WHOLE = RegionOutage.model_validate(
    {
        "kind": "region_outage",
        "region": EAST,
        "lasts": 60,
        "subnets": ALLOWED,
        "endpoints": ALLOWED,
        "launches": ALLOWED,
        "tables": ["titles", "history"],
        "buckets": [f"titles-{EAST}", f"history-{EAST}"],
    }
)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto_account() as endpoint:
        account = Account(endpoint)
        account.seed()
        account.seed_network(EAST)  # a second VPC
        account.seed_table(EAST, "alone")
        yield account


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "now", lambda: datetime(2026, 11, 21, 19, tzinfo=UTC))


def there(account: Account, do: Callable[[Environment], Awaitable[Any]]) -> Any:
    async def inside() -> Any:
        with moto_place(account.endpoint) as place:
            return await do(place)

    return asyncio.run(inside())


async def pull(fault: RegionOutage, place: Environment, path: Path) -> tuple[Journal, list[Pull]]:
    journal = Journal.create(path / "journal.jsonl", Stopwatch())
    puller = Puller(place, journal, run="run-1")
    await fault.inject(Looker(place), puller.of_fault(0))
    return journal, puller.pulls


def test_it_keeps_to_what_is_asked_of_faults_and_leaves_nothing(account: Account) -> None:
    before = account.dump()
    there(account, lambda place: check_fault(WHOLE, place))
    assert account.dump() == before


def test_it_cuts_what_is_named_and_nothing_else(account: Account, tmp_path: Path) -> None:
    before = json.loads(account.dump())

    async def check(place: Environment) -> None:
        journal, pulls = await pull(WHOLE, place, tmp_path)
        kinds = [p.lever["kind"] for p in pulls]
        stages = ["replication", "autoscaling", "endpoint", "subnet"]
        order = [next(n for n, s in enumerate(stages) if s in kind) for kind in kinds]
        assert order == sorted(order)
        assert kinds.count("subnet_acl") == len(account.subnets(EAST)) == 6
        during = json.loads(account.dump())
        # In the other region: the policies of where the buckets replicate to, and no more.
        changed = {key for key in during[WEST] if during[WEST][key] != before[WEST][key]}
        assert changed <= {"buckets"}
        ours = [acl for acl in during[EAST]["acls"] if TAG in json.dumps(acl)]
        assert sorted(s for acl in ours for s in acl["Associations"]) == account.subnets(EAST)
        untouched = [acl for acl in during[EAST]["acls"] if acl not in ours]
        rules = {acl["NetworkAclId"]: acl["Entries"] for acl in before[EAST]["acls"]}
        assert {acl["NetworkAclId"]: acl["Entries"] for acl in untouched} == rules
        for pulled in await put_back(reversed(pulls), place, journal):
            assert pulled.outcome == "restored", pulled
        journal.close()

    there(account, check)
    assert json.loads(account.dump()) == before


def test_its_permissions_cover_all_that_it_does(account: Account, tmp_path: Path) -> None:
    async def check(place: Environment) -> None:
        recording: Any = Recording(place)
        journal, pulls = await pull(WHOLE, recording, tmp_path)
        covered(WHOLE.grants().looks + WHOLE.grants().injects, recording.used)
        recording.used.clear()
        await put_back(reversed(pulls), recording, journal)
        covered(WHOLE.grants().looks + WHOLE.grants().puts_back, recording.used)
        journal.close()

    there(account, check)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subnets": None}, "say which subnets are cut off"),
        ({"subnets": {"tags": {"chaos": "forbidden"}}}, "none in us-east-1 has the tags chaos=for"),
        ({"subnets": {"ids": ["subnet-0"]}}, "not among those that match in us-east-1: subnet-0"),
        ({"endpoints": {"tags": {"no": "such"}}}, "endpoints: none in us-east-1 has the tags"),
        ({"launches": {"ids": ["nobody"]}}, "launches: not among those that match"),
        ({"tables": ["nothing"]}, "there is no nothing in us-east-1"),
        ({"tables": ["alone"]}, "table alone in us-east-1 has no replica to pause"),
        ({"buckets": ["nowhere"]}, "there is no nowhere in us-east-1"),
        ({"buckets": [f"titles-{WEST}"]}, "is in us-west-2, not in us-east-1"),
        ({"tables": ["titles"], "lasts": 36001}, "it may last 10h at most"),
        ({"mode": "refuse"}, "leave 'mode' out"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_touched(
    account: Account, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    before = account.dump()
    fault = RegionOutage.model_validate(WHOLE.model_dump() | change)

    async def check(place: Environment) -> None:
        recording: Any = Recording(place)
        with pytest.raises(ChaosError, match=said):
            await pull(fault, recording, tmp_path)
        assert recording.changes == []

    there(account, check)
    assert account.dump() == before


def test_its_permissions_are_for_its_region_alone() -> None:
    grants = WHOLE.grants()
    arns = {arn for grant in grants.injects + grants.puts_back for arn in grant.resources}
    regional = {arn for arn in arns if not arn.startswith("arn:aws:s3")}
    assert "arn:aws:ec2:us-east-1:*:network-acl/*" in regional
    assert all(arn.split(":")[3] == EAST for arn in regional)


def test_what_it_covers_is_told_by_what_is_named() -> None:
    whole, plain = WHOLE.coverage(), RegionOutage(kind="region_outage", region=EAST).coverage()
    assert plain is None
    assert whole is not None
    assert len(whole.cut) == 5
    assert any("Batch Replication" in line for line in whole.goes_on)
    assert any("DNS resolver" in line for line in whole.goes_on)
