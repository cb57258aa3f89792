"""The guards on what there really is in an account, and what they do when they cannot look.

moto answers as the account; of its instances only those that Auto Scaling launched carry the tag
of a group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto_account import KEYS, moto_account, on_account

from chaos import safety
from chaos.environments.calls import AwsCalls
from chaos.environments.environment import Environment
from chaos.environments.whoami import Whoami
from chaos.errors import CallFailed, InjectionFailed, InvalidInput
from chaos.experiment import Experiment
from chaos.experiment.safety import PolicyRules
from chaos.levers.ec2 import InstanceTermination
from chaos.safety import facts, gate, gathering
from chaos.safety.policy import Policy, PolicyFile

REGION = "us-east-1"
AMI = "ami-12c6146b"
TAGS = {"chaos": "allowed", "service": "playback"}


@dataclass
class Account:
    """An account with one group of four instances, and three instances alone."""

    endpoint: str
    calls: AwsCalls
    grouped: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    subnet: str = ""

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        return self.calls.call_now(service, REGION, operation, **params)

    def tag(self, *instances: str, **tags: str) -> None:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.call("ec2", "create_tags", Resources=list(instances), Tags=pairs)


@pytest.fixture(scope="module")
def reached() -> Iterator[tuple[str, AwsCalls]]:
    with moto_account() as url:
        calls = AwsCalls(url, key=("test", "test"), timeout_s=30)
        yield url, calls
        calls.close()


@pytest.fixture
def account(reached: tuple[str, AwsCalls], monkeypatch: pytest.MonkeyPatch) -> Account:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    made = Account(*reached)
    _end_all(made)
    subnets = made.call("ec2", "describe_subnets")["Subnets"]
    made.subnet = subnets[0]["SubnetId"]
    for group in made.call("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]:
        name = group["AutoScalingGroupName"]
        made.call(
            "autoscaling", "delete_auto_scaling_group", AutoScalingGroupName=name, ForceDelete=True
        )
    _end_all(made)
    ran = made.call(
        "ec2", "run_instances", ImageId=AMI, MinCount=3, MaxCount=3, SubnetId=made.subnet
    )
    made.alone = [instance["InstanceId"] for instance in ran["Instances"]]
    _make_group(made)
    made.tag(*made.alone, *made.grouped, **TAGS)
    return made


def _end_all(account: Account) -> None:
    found = account.call("ec2", "describe_instances")["Reservations"]
    if ids := [i["InstanceId"] for r in found for i in r["Instances"]]:
        account.call("ec2", "terminate_instances", InstanceIds=ids)


def _make_group(account: Account) -> None:
    known = account.call("autoscaling", "describe_launch_configurations")["LaunchConfigurations"]
    if not known:
        account.call(
            "autoscaling",
            "create_launch_configuration",
            LaunchConfigurationName="web",
            ImageId=AMI,
            InstanceType="t3.micro",
        )
    account.call(
        "autoscaling",
        "create_auto_scaling_group",
        AutoScalingGroupName="web",
        LaunchConfigurationName="web",
        MinSize=4,
        MaxSize=4,
        DesiredCapacity=4,
        VPCZoneIdentifier=account.subnet,
    )
    (group,) = account.call(
        "autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=["web"]
    )["AutoScalingGroups"]
    account.grouped = [instance["InstanceId"] for instance in group["Instances"]]


def drill(ids: list[str], pick: str = "all", **rules: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "kill",
            "accounts": {"main": {"id": "123456789012", "regions": [REGION]}},
            "probes": {"p": {"kind": "tcp", "host": "127.0.0.1", "port": 9}},
            "faults": [
                {"kind": "instance_termination", "region": REGION, "ids": ids, "pick": pick}
            ],
            "objectives": {"p": {"unaffected": True}},
            "allow_irreversible": ["instance_termination"],
            "safety": rules,
        }
    )


def policy(**rules: Any) -> Policy:
    return Policy((PolicyFile(Path("chaos.toml"), PolicyRules(**rules)),))


@contextmanager
def opened(endpoint: str) -> Iterator[Environment]:
    environment = on_account(endpoint)
    try:
        yield environment
    finally:
        environment.close()


def judged(account: Account, experiment: Experiment, laid_down: Policy | None = None) -> list[str]:
    """All refusals; an empty list means that a run may begin."""

    async def go() -> list[str]:
        with opened(account.endpoint) as environment:
            planned = await safety.plan(experiment, environment)
            try:
                await safety.guard(experiment, planned, environment, laid_down or Policy())
            except InvalidInput as error:
                return list(error.problems)
            return []

    return asyncio.run(go())


def test_what_is_tagged_and_replaced_may_be_terminated(account: Account) -> None:
    rules = policy(require_tags={"chaos": "allowed"}, protect_tags={"tier": "*"})
    assert judged(account, drill(account.grouped[:2]), rules) == []


def test_every_one_that_could_be_drawn_has_to_carry_the_tags(account: Account) -> None:
    account.call("ec2", "delete_tags", Resources=[account.grouped[3]], Tags=[{"Key": "chaos"}])
    one_of_four = drill(account.grouped, pick="1")
    told = judged(account, one_of_four, policy(require_tags={"chaos": "allowed"}))
    assert told == [
        (
            f"required tags: ec2:instance {account.grouped[3]} in us-east-1 is without the tag"
            " chaos=allowed that chaos.toml requires; tag what may be touched, or choose other"
            " targets"
        )
    ]
    account.tag(account.grouped[2], tier="payment")
    (told_of_tag,) = judged(account, one_of_four, policy(protect_tags={"tier": "*"}))
    assert told_of_tag.startswith(f"protected tags: ec2:instance {account.grouped[2]}")


def test_half_of_what_there_is(account: Account) -> None:
    """Three of seven are less than half of them, four are more."""
    assert judged(account, drill(account.grouped, pick="3")) == []
    told = judged(account, drill([*account.grouped[:3], *account.alone[:1]], alone=account.alone))
    assert [said.partition(";")[0] for said in told] == [
        f"limit of a {what} 4 of 7 ec2:instance in us-east-1, and chaos by default allows 50% of"
        " them"
        for what in ("fault: faults[0] hits", "run: all faults together hit")
    ]


def test_what_nothing_replaces_has_to_be_named(account: Account) -> None:
    (one,) = account.alone[:1]
    (said,) = judged(account, drill([one]))
    assert said == (
        f"terminations: ec2:instance {one} in us-east-1 is in no Auto Scaling group, so nothing"
        f" replaces it; to terminate it anyway, write safety: {{alone: [{one}]}}"
    )
    assert judged(account, drill([one], alone=[one])) == []
    assert judged(account, drill([one], alone=[one]), policy(alone=[one])) == []
    (said,) = judged(account, drill([one], alone=[one]), policy(alone=[]))
    assert "chaos.toml does not name it" in said


def test_a_group_that_launches_nothing_loses_nothing(account: Account) -> None:
    account.call(
        "autoscaling",
        "suspend_processes",
        AutoScalingGroupName="web",
        ScalingProcesses=["Launch"],
    )
    (said,) = judged(account, drill(account.grouped[:1]))
    assert "web in us-east-1 launches nothing" in said


def test_the_branch_it_sits_on(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    me = Whoami(
        instance=account.grouped[0], subnet=account.subnet, region=REGION, known=True, why="a test"
    )

    async def here(_: Environment) -> Whoami:
        return me

    monkeypatch.setattr(gathering, "whoami", here)
    (said,) = judged(account, drill(account.grouped, pick="1"))
    assert said.startswith(
        f"own branch: ec2:instance {account.grouped[0]} in us-east-1 is the instance that chaos"
        " itself runs on; run chaos from somewhere else"
    )
    me = replace(me, instance=None, known=False, why="it runs in Lambda")
    (said,) = judged(account, drill(account.grouped[:1]))
    assert "whether this cuts it off: it runs in Lambda; run it where that can be told" in said


class Deaf:
    """An environment that does not answer one operation."""

    def __init__(self, environment: Environment, operation: str, code: str) -> None:
        self._environment, self._operation, self._code = environment, operation, code
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment, name)

    def at(self, account: str | None) -> Deaf:
        return Deaf(self._environment.at(account), self._operation, self._code)

    async def call(self, service: str, region: str, operation: str, /, **params: Any) -> Any:
        if operation == self._operation:
            raise CallFailed(f"{service} {operation} in {region}", self._code, "no")
        return await self._environment.call(service, region, operation, **params)


@pytest.mark.parametrize(
    ("operation", "code", "said"),
    [
        (
            "describe_auto_scaling_groups",
            "AccessDenied",
            "terminations: the Auto Scaling group",
        ),
        ("describe_auto_scaling_groups", "Throttling", "terminations: the Auto Scaling group"),
        ("describe_subnets", "RequestLimitExceeded", "own branch: where chaos itself runs"),
        (
            "describe_vpc_endpoints",
            "ReadTimeoutError",
            "own branch: where chaos itself runs",
        ),
        ("describe_nat_gateways", "UnauthorizedOperation", "own branch: where chaos itself runs"),
        ("describe_network_acls", "InternalError", "own branch: where chaos itself runs"),
    ],
)
def test_what_cannot_be_read_refuses(
    account: Account, monkeypatch: pytest.MonkeyPatch, operation: str, code: str, said: str
) -> None:
    async def here(_: Environment) -> Whoami:
        return Whoami(subnet=account.subnet, region=REGION, known=True)

    monkeypatch.setattr(gathering, "whoami", here)
    experiment = drill(account.grouped[:1])

    async def go() -> None:
        with opened(account.endpoint) as environment:
            planned = await safety.plan(experiment, environment)
            assert await safety.guard(experiment, planned, environment, Policy()) is not None
            deaf: Any = Deaf(environment, operation, code)
            with pytest.raises(InvalidInput) as caught:
                await safety.guard(experiment, planned, deaf, Policy())
            assert [p for p in caught.value.problems if p.startswith(said) and code in p]

    asyncio.run(go())


def pull_after(account: Account, experiment: Experiment, change: Any, *ids: str) -> list[str]:
    """What is said of each of these pulls, when `change` was made after the plan was accepted."""

    async def go() -> list[str]:
        told = []
        with opened(account.endpoint) as environment:
            planned = await safety.plan(experiment, environment)
            permit = await safety.guard(experiment, planned, environment, policy(**RULES))
            assert permit is not None
            change()
            for id_ in ids:
                try:
                    await permit(0, None, InstanceTermination(region=REGION, instance=id_))
                    account.call("ec2", "terminate_instances", InstanceIds=[id_])
                    told.append("")
                except InjectionFailed as error:
                    told.append(str(error))
        return told

    return asyncio.run(go())


RULES = {"require_tags": {"chaos": "allowed"}, "protect_tags": {"tier": "*"}}


def nothing() -> None:
    """Nothing has changed."""


def test_what_a_run_pulls_is_judged_when_it_pulls(account: Account) -> None:
    """Of seven instances three may go, one after the other, although each makes them fewer."""
    experiment = drill(account.alone[:3], alone=account.alone)
    assert pull_after(account, experiment, nothing, *account.alone) == ["", "", ""]


def test_a_tag_that_came_between_plan_and_pull(account: Account) -> None:
    first, second = account.grouped[:2]
    told = pull_after(
        account,
        drill([first, second]),
        lambda: account.tag(second, tier="payment"),
        first,
        second,
    )
    assert told[0] == ""
    assert told[1].startswith(
        f"not pulled any more: protected tags: ec2:instance {second} in us-east-1 is protected"
    )


def test_a_group_that_shrank_between_plan_and_pull(account: Account) -> None:
    def others_end() -> None:
        account.call(
            "autoscaling",
            "suspend_processes",
            AutoScalingGroupName="web",
            ScalingProcesses=["Launch"],
        )

    told = pull_after(account, drill(account.grouped[:1]), others_end, account.grouped[0])
    assert "launches nothing" in told[0]


def test_more_than_the_plan_said_is_not_pulled(account: Account) -> None:
    """A fault that pulls what it did not tell is stopped by the same limits."""
    experiment = drill(account.grouped[:1], at_most={"count": 1})
    told = pull_after(account, experiment, nothing, *account.grouped[:2])
    assert told[0] == ""
    assert "faults[0] hits 2 resources, and the experiment's safety allows 1" in told[1]


def test_a_drill_that_has_come_too_late(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    begins = facts.utc_now()
    day = {"from": (begins - timedelta(days=1)).date().isoformat()}
    experiment = drill(account.grouped[:1], blackout=[day])

    async def go() -> None:
        with opened(account.endpoint) as environment:
            planned = await safety.plan(experiment, environment)
            permit = await safety.guard(experiment, planned, environment, Policy())
            assert permit is not None
            monkeypatch.setattr(gate, "utc_now", lambda: begins - timedelta(days=1))
            lever = InstanceTermination(region=REGION, instance=account.grouped[0])
            with pytest.raises(InjectionFailed, match="blackout: no drills on"):
                await permit(0, None, lever)

    asyncio.run(go())


def test_whom_a_lever_touches_cannot_be_read_any_more(account: Account) -> None:
    experiment = drill(account.grouped[:1])

    async def go() -> None:
        with opened(account.endpoint) as environment:
            planned = await safety.plan(experiment, environment)
            permit = await safety.guard(experiment, planned, environment, Policy())
            assert permit is not None
            deaf: Any = Deaf(environment, "describe_instances", "Throttling")
            permit._environment = deaf
            lever = InstanceTermination(region=REGION, instance=account.grouped[0])
            with pytest.raises(InjectionFailed, match="cannot be read: ec2 describe_instances"):
                await permit(0, None, lever)

    asyncio.run(go())
