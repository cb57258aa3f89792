"""Accounts on AWS: none is touched but those that are named, where they are named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto_account import ACCOUNT, KEYS, moto_account, on_account
from patients import nothing_configured
from sts_stand_in import Sts, sts_stand_in

from chaos.environments import on_aws
from chaos.environments.attach import attach
from chaos.environments.attended import Attended, Operator, marks_beside
from chaos.environments.on_aws import OnAws
from chaos.errors import CallFailed, ChaosError, EnvironmentFailed, InvalidInput
from chaos.experiment.accounts import Account
from chaos.testing.fake_environment import FakeEnvironment
from probes.probe import Probe

__all__ = ["nothing_configured"]  # a fixture for all tests here

OTHER = "222222222222"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_account() as url:
        yield url


@pytest.fixture(autouse=True)
def with_keys(monkeypatch: pytest.MonkeyPatch, nothing_configured: None) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def account(id: str = ACCOUNT, regions: tuple[str, ...] = ("us-east-1",), **more: Any) -> Any:  # noqa: A002  # its name in a file
    return Account(id=id, regions=list(regions), **more).model_dump(mode="json")


def a_probe() -> Probe:
    return Probe(kind="any", every=1.0, timeout=5.0)


def in_two(**more: Any) -> dict[str, Any]:
    role = f"arn:aws:iam::{OTHER}:role/chaos"
    return {
        "here": account(regions=("us-east-1", "us-west-2")),
        "there": account(OTHER, ("eu-west-1",), role=role, **more),
    }


def started(url: str, accounts: dict[str, Any], profile: str | None = None) -> OnAws:
    """Entered and left again; raises what keeps it from starting."""

    async def main() -> OnAws:
        async with on_aws.start(url, accounts, profile=profile, run="r-1") as environment:
            return environment

    return asyncio.run(main())


def refusal(url: str, accounts: dict[str, Any], profile: str | None = None) -> str:
    with pytest.raises(ChaosError) as caught:
        started(url, accounts, profile)
    assert caught.value.exit_code == 2
    return str(caught.value)


async def vpcs(environment: Any, region: str) -> set[str]:
    answer = await environment.call("ec2", region, "describe_vpcs")
    return {vpc["OwnerId"] for vpc in answer["Vpcs"]}


def test_each_account_is_reached_with_its_own_credentials(moto: str) -> None:
    async def main() -> None:
        async with on_aws.start(moto, in_two(), profile=None, run="r-1") as environment:
            assert await vpcs(environment.at("here"), "us-west-2") == {ACCOUNT}
            assert await vpcs(environment.at("there"), "eu-west-1") == {OTHER}
            there = environment.at("there")
            assert there.at("here") is environment.at("here")
            assert there.at(None) is there
            assert environment.at(None) is environment
            assert environment.identities["there"] == {
                "account": OTHER,
                "arn": f"arn:aws:sts::{OTHER}:assumed-role/chaos/chaos-r-1",
            }
            assert (await environment.caller())["Account"] == ACCOUNT

    asyncio.run(main())


def test_with_several_accounts_one_has_to_be_named(moto: str) -> None:
    environment = started(moto, in_two())
    with pytest.raises(InvalidInput, match="one of here, there"):
        asyncio.run(environment.call("ec2", "us-east-1", "describe_vpcs"))
    with pytest.raises(InvalidInput, match="no account 'elsewhere'; there is here, there"):
        environment.at("elsewhere")


def test_without_an_account_nothing_is_called(moto: str) -> None:
    assert refusal(moto, {}) == on_aws.NO_ACCOUNTS
    environment = OnAws(moto, {})
    with pytest.raises(InvalidInput, match="the experiment names no account"):
        asyncio.run(environment.call("sts", "us-east-1", "get_caller_identity"))
    environment.close()


def test_another_account_than_the_one_named_is_refused(moto: str) -> None:
    assert refusal(moto, {"prod": account("333333333333")}) == (
        f"account prod: the credentials are of account {ACCOUNT}"
        f" (arn:aws:sts::{ACCOUNT}:user/moto), and the experiment names 333333333333; nothing was"
        " touched there"
    )


def test_every_account_that_cannot_be_is_told_at_once(moto: str) -> None:
    wrong = {"one": account("333333333333"), "two": account("444444444444"), "good": account()}
    lines = refusal(moto, wrong).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["account one", "account two"]


def test_an_account_that_sts_does_not_tell_is_refused() -> None:
    with sts_stand_in() as sts:
        sts.account = ""
        assert "STS does not tell whose account" in refusal(sts.url, {"prod": account()})
        sts.refuse["GetCallerIdentity"] = "InvalidClientTokenId"
        assert "AWS does not know these credentials" in refusal(sts.url, {"prod": account()})


def test_the_first_call_finds_out_whose_account_it_is(moto: str) -> None:
    wrong = OnAws(moto, {"main": account("333333333333")})
    with pytest.raises(InvalidInput, match="the experiment names 333333333333"):
        asyncio.run(wrong.call("ec2", "us-east-1", "describe_vpcs"))
    wrong.close()
    right = on_account(moto)
    assert asyncio.run(vpcs(right, "us-east-1")) == {ACCOUNT}
    right.close()


@pytest.mark.parametrize(
    ("service", "region", "operation", "params"),
    [
        ("ec2", "us-east-1", "describe_vpcs", {}),
        ("iam", "us-east-1", "create_user", {"UserName": "u"}),
        ("iam", "ap-south-1", "list_users", {}),
    ],
)
def test_a_region_that_is_not_listed_is_not_called(
    service: str, region: str, operation: str, params: dict[str, Any]
) -> None:
    with sts_stand_in() as sts:
        environment = OnAws(sts.url, {"main": account(regions=("eu-west-1",))})
        with pytest.raises(InvalidInput, match=f"{region} is none of its regions .eu-west-1."):
            asyncio.run(environment.call(service, region, operation, **params))
        environment.close()
        assert not sts.asked


def test_services_of_a_whole_partition_are_read_where_they_are(moto: str) -> None:
    environment = OnAws(moto, {"main": account(regions=("eu-west-1",))})
    answer = asyncio.run(environment.call("iam", "us-east-1", "list_users"))
    assert answer["Users"] == []
    asyncio.run(environment.call("iam", "eu-west-1", "create_user", UserName="listed"))
    environment.close()


def test_a_probe_calls_its_account_once_and_nobody_elses_region(moto: str) -> None:
    async def main() -> list[str]:
        async with on_aws.start(moto, in_two(), profile=None, run="r") as environment:
            net = environment.at("there").net(a_probe())
            answer = await net.aws("ec2", "eu-west-1", "describe_vpcs")
            with pytest.raises(InvalidInput):
                await net.aws("ec2", "us-east-1", "describe_vpcs")
            return [vpc["OwnerId"] for vpc in answer["Vpcs"]]

    assert asyncio.run(main()) == [OTHER]


def test_a_probe_without_an_account_has_the_network_alone(moto: str) -> None:
    environment = started(moto, in_two())
    with pytest.raises(RuntimeError, match="no door to the AWS API"):
        asyncio.run(environment.net(a_probe()).aws("ec2", "us-east-1", "describe_vpcs"))


def test_credentials_that_end_are_no_answer_of_the_system() -> None:
    with sts_stand_in() as sts:
        environment = OnAws(sts.url, {"main": account()})

        async def main() -> None:
            await environment.open()
            sts.refuse["GetCallerIdentity"] = "ExpiredToken"
            net = environment.net(a_probe())
            for call in (environment.call, net.aws):
                with pytest.raises(EnvironmentFailed, match="account main: the credentials have"):
                    await call("sts", "us-east-1", "get_caller_identity")

        asyncio.run(main())
        environment.close()


def test_what_may_pass_is_tried_again_and_is_no_answer_of_the_system_either() -> None:
    described = OnAws("http://127.0.0.1:1", {"main": account()}).describe()
    with sts_stand_in() as sts:
        described["endpoint"] = sts.url
        sts.refuse["GetCallerIdentity"] = "ServiceUnavailable"

        async def main() -> str:
            environment = await attach(described)
            with pytest.raises(CallFailed, match="ServiceUnavailable"):
                await environment.call("sts", "us-east-1", "get_caller_identity")
            with pytest.raises(EnvironmentFailed, match="getting credentials"):
                await unrenewed(sts).net(a_probe()).aws("ec2", "us-east-1", "describe_vpcs")
            sts.refuse.clear()
            found = await environment.call("sts", "us-east-1", "get_caller_identity")
            environment.close()
            return str(found["Account"])

        assert asyncio.run(main()) == ACCOUNT


def unrenewed(sts: Sts) -> OnAws:
    """An account whose role cannot be had just now."""
    sts.refuse["AssumeRole"] = "ServiceUnavailable"
    return OnAws(sts.url, {"main": account(role=f"arn:aws:iam::{ACCOUNT}:role/chaos")})


def test_what_a_journal_keeps_finds_the_accounts_again_and_holds_no_secret(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = started(moto, in_two(external_id="hush-hush-hush")).describe()
    assert "hush" not in str(described)
    assert described["accounts"]["there"]["external_id"] is True
    monkeypatch.setenv("CHAOS_EXTERNAL_ID_THERE", "hush-hush-hush")

    async def main() -> set[str]:
        environment = await attach(described)
        try:
            return await vpcs(environment.at("there"), "eu-west-1")
        finally:
            environment.close()

    assert asyncio.run(main()) == {OTHER}


def test_where_one_account_cannot_be_reached_the_others_are_put_back(moto: str) -> None:
    described = started(moto, in_two(external_id="hush-hush-hush")).describe()

    async def main() -> None:
        environment = await attach(described)  # nobody has given the external id
        try:
            assert await vpcs(environment.at("here"), "us-east-1") == {ACCOUNT}
            with pytest.raises(InvalidInput, match="set CHAOS_EXTERNAL_ID_THERE"):
                await vpcs(environment.at("there"), "eu-west-1")
        finally:
            environment.close()

    asyncio.run(main())


def test_where_none_can_be_reached_that_is_told(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    described = started(moto, {"main": account()}).describe()
    for name in KEYS:
        monkeypatch.delenv(name)
    with pytest.raises(EnvironmentFailed, match="account main: no credentials are found here"):
        asyncio.run(attach(described))


def test_the_accounts_are_found_behind_whoever_stands_beside_them(tmp_path: Path) -> None:
    environment = OnAws("http://127.0.0.1:1", in_two())
    operator = Operator([], marks_beside(tmp_path / "journal"), print)
    attended = Attended(environment, operator)
    assert on_aws.found_in(attended) is environment
    assert on_aws.found_in(attended.at("there")) is environment
    assert on_aws.found_in(FakeEnvironment({})) is None
    environment.close()


def test_sts_is_asked_first_and_alone() -> None:
    with sts_stand_in() as sts:
        started(sts.url, {"main": account()})
        assert [one["Action"] for one in sts.asked] == ["GetCallerIdentity"]


def sessions(sts: Sts) -> list[str]:
    return [one["RoleSessionName"] for one in sts.of("AssumeRole")]


def test_the_session_is_named_after_the_run_within_64_letters() -> None:
    with sts_stand_in() as sts:
        sts.account = OTHER
        name = "20261121-185103-" + "long-name-" * 6 + "abcd"

        async def main() -> None:
            accounts = {"there": in_two()["there"]}
            async with on_aws.start(sts.url, accounts, profile=None, run=name):
                pass

        asyncio.run(main())
        assert sessions(sts) == [f"chaos-{name}"[:64]]
