"""What another engineer changes while a fault is on: a conflict, or no matter; kept in any case."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from campaigns.account import Account
from moto_account import moto_account
from moto_place import moto_place

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InjectionFailed
from chaos.history import Pull
from chaos.injection import Puller
from chaos.journal import Journal
from chaos.levers import Lever, Value
from chaos.levers.autoscaling import AutoscalingProcess
from chaos.levers.endpoint_access import CLOSED, EndpointAccess
from chaos.levers.replication_deny import BucketReplication, TableReplication
from chaos.levers.subnet_acl import NONE, SubnetAcl
from chaos.levers.swapped import GONE
from chaos.loops import Stopwatch
from chaos.rollback import put_back

EAST, RUN = "us-east-1", "run-1"
UNTIL = {"until": "2026-11-21T19:00:00Z"}
Meanwhile = Callable[[Environment], Awaitable[None]]


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


async def put_back_after(
    place: Environment, path: Path, lever: Lever, value: Value, meanwhile: Meanwhile
) -> Pull:
    """Pull it, let the other engineer act, put it back."""
    journal = Journal.create(path / "journal.jsonl", Stopwatch())
    puller = Puller(place, journal, run=RUN)
    await puller.of_fault(0)(lever, value)
    await meanwhile(place)
    (pull,) = await put_back(puller.pulls, place, journal)
    journal.close()
    return pull


async def acl_of(place: Environment, subnet: str) -> dict[str, Any]:
    here = [{"Name": "association.subnet-id", "Values": [subnet]}]
    found = await place.call("ec2", EAST, "describe_network_acls", Filters=here)
    acl: dict[str, Any] = found["NetworkAcls"][0]
    return acl


async def allow_https(place: Environment, acl: str) -> None:
    await place.call(
        "ec2",
        EAST,
        "create_network_acl_entry",
        NetworkAclId=acl,
        RuleNumber=50,
        Protocol="6",
        RuleAction="allow",
        Egress=False,
        CidrBlock="10.0.0.0/8",
        PortRange={"From": 443, "To": 443},
    )


def test_a_third_acl_is_a_conflict_and_stays(
    account: Account, place: Environment, tmp_path: Path
) -> None:
    subnet = account.subnets(EAST)[0]

    async def third(place: Environment) -> None:
        acl = await acl_of(place, subnet)
        made = await place.call("ec2", EAST, "create_network_acl", VpcId=acl["VpcId"])
        await swap(place, subnet, made["NetworkAcl"]["NetworkAclId"])

    async def check() -> None:
        before = (await acl_of(place, subnet))["NetworkAclId"]
        lever = SubnetAcl(region=EAST, subnet=subnet)
        pull = await put_back_after(place, tmp_path, lever, NONE, third)
        now = (await acl_of(place, subnet))["NetworkAclId"]
        assert pull.outcome == "conflict"
        assert pull.found["on"] == now != before
        assert len(pull.found["left"]) == 1  # ours, told
        await settle(place, subnet, before)

    asyncio.run(check())


async def settle(place: Environment, subnet: str, before: str) -> None:
    """The other engineer undoes their change; what is left of ours goes with the next rollback."""
    await swap(place, subnet, before)
    await SubnetAcl(region=EAST, subnet=subnet, run=RUN).set(place, before)
    assert await SubnetAcl(region=EAST, subnet=subnet, run=RUN).read(place) == before


async def swap(place: Environment, subnet: str, acl: str) -> None:
    here = (await acl_of(place, subnet))["Associations"]
    (association,) = [a["NetworkAclAssociationId"] for a in here if a["SubnetId"] == subnet]
    named = {"AssociationId": association, "NetworkAclId": acl}
    await place.call("ec2", EAST, "replace_network_acl_association", **named)


def test_an_acl_of_ours_that_was_edited_is_a_conflict_and_stays(
    account: Account, place: Environment, tmp_path: Path
) -> None:
    subnet = account.subnets(EAST)[0]

    async def edit(place: Environment) -> None:
        await allow_https(place, (await acl_of(place, subnet))["NetworkAclId"])

    async def check() -> None:
        before = (await acl_of(place, subnet))["NetworkAclId"]
        lever = SubnetAcl(region=EAST, subnet=subnet)
        pull = await put_back_after(place, tmp_path, lever, NONE, edit)
        assert pull.outcome == "conflict"
        assert [rule["RuleNumber"] for rule in pull.found["rules"]] == [50]
        assert (await acl_of(place, subnet))["NetworkAclId"] == pull.found["acl"]
        await settle(place, subnet, before)

    asyncio.run(check())


def test_a_third_acl_that_comes_at_the_last_moment_stays(
    account: Account, place: Environment, tmp_path: Path
) -> None:
    """After the rollback has looked, and before it sets."""
    subnet = account.subnets(EAST)[0]

    async def check() -> None:
        before = await acl_of(place, subnet)
        lever = SubnetAcl(region=EAST, subnet=subnet, run=RUN)
        await lever.set(place, NONE)
        third = await place.call("ec2", EAST, "create_network_acl", VpcId=before["VpcId"])
        await swap(place, subnet, third["NetworkAcl"]["NetworkAclId"])
        await lever.set(place, before["NetworkAclId"])
        now = third["NetworkAcl"]["NetworkAclId"]
        assert await lever.read(place) == now  # and nothing of ours is left
        await settle(place, subnet, before["NetworkAclId"])

    asyncio.run(check())


def test_a_third_acl_that_comes_while_the_pull_is_written_down_stays(
    account: Account, place: Environment, tmp_path: Path
) -> None:
    subnet, third = account.subnets(EAST)[0], ""

    async def check() -> None:
        before = await acl_of(place, subnet)

        async def outside(event: dict[str, Any]) -> None:
            nonlocal third
            if event["event"] == "pull":
                made = await place.call("ec2", EAST, "create_network_acl", VpcId=before["VpcId"])
                third = made["NetworkAcl"]["NetworkAclId"]
                await swap(place, subnet, third)

        journal = Journal.create(tmp_path / "r" / "journal.jsonl", Stopwatch())
        journal.outside = outside
        puller = Puller(place, journal, run=RUN)
        with pytest.raises(InjectionFailed, match="somebody else changes it"):
            await puller.of_fault(0)(SubnetAcl(region=EAST, subnet=subnet), NONE)
        (pull,) = await put_back(puller.pulls, place, journal)
        journal.close()
        assert (pull.outcome, pull.found) == ("conflict", third)
        await settle(place, subnet, before["NetworkAclId"])

    asyncio.run(check())


def test_groups_that_come_to_an_endpoint_at_the_last_moment_stay(
    place: Environment, tmp_path: Path
) -> None:
    async def check() -> None:
        name, groups = await endpoint_of(place, "kms")
        lever = EndpointAccess(region=EAST, endpoint=name, run="run-2")
        prior = await lever.read(place)
        await lever.set(place, CLOSED)
        await place.call(
            "ec2", EAST, "modify_vpc_endpoint", VpcEndpointId=name, AddSecurityGroupIds=groups
        )
        await lever.set(place, prior)
        assert len((await lever.read(place))["groups"]) == 2

    asyncio.run(check())


async def endpoint_of(place: Environment, service: str) -> tuple[str, list[str]]:
    """One more endpoint beside that which is there, and its security groups."""
    like = (await place.call("ec2", EAST, "describe_vpc_endpoints"))["VpcEndpoints"][0]
    made = await place.call(
        "ec2",
        EAST,
        "create_security_group",
        GroupName=service,
        Description="-",
        VpcId=like["VpcId"],
    )
    answer = await place.call(
        "ec2",
        EAST,
        "create_vpc_endpoint",
        VpcId=like["VpcId"],
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{EAST}.{service}",
        SecurityGroupIds=[made["GroupId"]],
        SubnetIds=like["SubnetIds"],
    )
    return answer["VpcEndpoint"]["VpcEndpointId"], [made["GroupId"]]


def test_of_a_deleted_subnet_nothing_of_ours_stays(
    account: Account, place: Environment, tmp_path: Path
) -> None:
    """moto keeps the association of a subnet that is deleted; AWS does not."""
    subnet, wanted = account.subnets(EAST)[0], [{"Name": "tag:chaos:run", "Values": [RUN]}]

    class Deleted:
        """The account, without that subnet."""

        async def call(self, *what: str, **params: Any) -> dict[str, Any]:
            found = await place.call(*what, **params)
            if subnet in str(params.get("Filters")) and "association" in str(params):
                found["NetworkAcls"] = []
            return found

        def __getattr__(self, name: str) -> Any:
            return self if name == "at" else getattr(place, name)

        def __call__(self, _account: str | None) -> Environment:
            return cast("Environment", self)

    async def check() -> None:
        before = (await acl_of(place, subnet))["NetworkAclId"]
        lever = SubnetAcl(region=EAST, subnet=subnet)
        journal = Journal.create(tmp_path / "r" / "journal.jsonl", Stopwatch())
        puller = Puller(place, journal, run=RUN)
        await puller.of_fault(0)(lever, NONE)
        await swap(place, subnet, before)  # so that moto lets ours go
        (pull,) = await put_back(puller.pulls, cast("Environment", Deleted()), journal)
        journal.close()
        assert (pull.outcome, pull.found) == ("conflict", GONE)
        assert not (await place.call("ec2", EAST, "describe_network_acls", Filters=wanted))[
            "NetworkAcls"
        ]
        with pytest.raises(CallFailed, match="no such subnet"):
            await lever.set(cast("Environment", Deleted()), NONE)

    asyncio.run(check())


def test_of_a_deleted_endpoint_nothing_of_ours_stays(place: Environment, tmp_path: Path) -> None:
    async def check() -> None:
        name, _ = await endpoint_of(place, "sns")

        async def delete(place: Environment) -> None:
            await place.call("ec2", EAST, "delete_vpc_endpoints", VpcEndpointIds=[name])

        lever = EndpointAccess(region=EAST, endpoint=name)
        pull = await put_back_after(place, tmp_path, lever, CLOSED, delete)
        assert (pull.outcome, pull.found) == ("conflict", GONE)
        wanted = [{"Name": "tag:chaos:for", "Values": [name]}]
        left = await place.call("ec2", EAST, "describe_security_groups", Filters=wanted)
        assert not left["SecurityGroups"]
        with pytest.raises(CallFailed, match="no such endpoint"):
            await lever.set(place, CLOSED)

    asyncio.run(check())


def test_an_edit_of_the_subnets_own_acl_is_kept(
    account: Account, place: Environment, tmp_path: Path
) -> None:
    subnet = account.subnets(EAST)[1]

    async def check() -> None:
        own = await acl_of(place, subnet)

        async def edit(place: Environment) -> None:
            await allow_https(place, own["NetworkAclId"])

        lever = SubnetAcl(region=EAST, subnet=subnet)
        pull = await put_back_after(place, tmp_path, lever, NONE, edit)
        now = await acl_of(place, subnet)
        assert pull.outcome == "restored"
        assert now["NetworkAclId"] == own["NetworkAclId"]
        assert len(now["Entries"]) == len(own["Entries"]) + 1

    asyncio.run(check())


def test_one_more_security_group_on_an_endpoint_is_a_conflict_and_stays(
    place: Environment, tmp_path: Path
) -> None:
    async def check() -> None:
        found = await place.call("ec2", EAST, "describe_vpc_endpoints")
        endpoint = next(e for e in found["VpcEndpoints"] if e["ServiceName"].endswith("sqs"))
        name, groups = endpoint["VpcEndpointId"], endpoint["Groups"]

        async def add(place: Environment) -> None:
            ids = [group["GroupId"] for group in groups]
            change = {"VpcEndpointId": name, "AddSecurityGroupIds": ids}
            await place.call("ec2", EAST, "modify_vpc_endpoint", **change)

        lever = EndpointAccess(region=EAST, endpoint=name)
        pull = await put_back_after(place, tmp_path, lever, CLOSED, add)
        assert pull.outcome == "conflict"
        assert len(pull.found["groups"]) == 2

    asyncio.run(check())


def test_a_process_that_was_resumed_meanwhile_stays_so(place: Environment, tmp_path: Path) -> None:
    """`AZRebalance` was suspended before; a second process that we suspend leaves it alone."""
    lever = AutoscalingProcess(region=EAST, group="encoder", process="Launch")
    other = AutoscalingProcess(region=EAST, group="encoder", process="AZRebalance")

    async def resume(place: Environment) -> None:
        await other.set(place, "running")

    async def check() -> None:
        assert await other.read(place) == "suspended"
        pull = await put_back_after(place, tmp_path, lever, "suspended", resume)
        assert pull.outcome == "restored"
        assert await other.read(place) == "running"

    asyncio.run(check())


def test_what_others_write_into_a_policy_meanwhile_is_kept(
    place: Environment, tmp_path: Path
) -> None:
    bucket = f"titles-{EAST}"
    theirs = {
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }

    async def policy() -> dict[str, Any]:
        found = await place.call("s3", EAST, "get_bucket_policy", Bucket=bucket)
        parsed: dict[str, Any] = json.loads(found["Policy"])
        return parsed

    async def write(place: Environment) -> None:
        now = await policy()
        text = json.dumps({**now, "Statement": [theirs, *now["Statement"]]})
        await place.call("s3", EAST, "put_bucket_policy", Bucket=bucket, Policy=text)

    async def check() -> None:
        lever = BucketReplication(region=EAST, bucket=bucket)
        pull = await put_back_after(place, tmp_path, lever, UNTIL, write)
        assert pull.outcome == "restored"
        assert (await policy())["Statement"] == [theirs]

    asyncio.run(check())


def test_statements_of_ours_that_were_edited_are_a_conflict_and_stay(
    place: Environment, tmp_path: Path
) -> None:
    arn = f"arn:aws:dynamodb:{EAST}:123456789012:table/history"
    named = {"ResourceArn": arn}

    async def policy() -> dict[str, Any]:
        found = await place.call("dynamodb", EAST, "get_resource_policy", **named)
        parsed: dict[str, Any] = json.loads(found["Policy"])
        return parsed

    async def narrow(place: Environment) -> None:
        now = await policy()
        now["Statement"][-1]["Action"] = ["dynamodb:PutItem"]
        await place.call("dynamodb", EAST, "put_resource_policy", **named, Policy=json.dumps(now))

    async def check() -> None:
        lever = TableReplication(region=EAST, arn=arn)
        pull = await put_back_after(place, tmp_path, lever, UNTIL, narrow)
        assert pull.outcome == "conflict"
        assert (await policy())["Statement"][-1]["Action"] == ["dynamodb:PutItem"]

    asyncio.run(check())
