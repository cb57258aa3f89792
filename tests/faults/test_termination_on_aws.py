"""Instances of an account are terminated as chosen; those that are protected are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto_account import moto_account
from moto_place import moto_place

from chaos.environments.environment import Environment
from chaos.errors import InvalidInput
from chaos.faults.instance_termination import InstanceTermination
from chaos.injection import Looker, Puller
from chaos.journal import Journal
from chaos.levers import Lever, Value
from chaos.levers.ec2 import InstanceTermination as Termination
from chaos.loops import Stopwatch
from chaos.rollback import put_back
from chaos.testing import Recording
from chaos.testing.accounts import covered

REGION = "us-east-1"


@pytest.fixture
def place() -> Iterator[Environment]:
    with moto_account() as endpoint, moto_place(endpoint) as place:
        yield place


async def launch(place: Environment, count: int, **tags: str) -> list[str]:
    marks = [{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]
    specification = {"ResourceType": "instance", "Tags": marks}
    answer = await place.call(
        "ec2",
        REGION,
        "run_instances",
        ImageId="ami-1",
        MinCount=count,
        MaxCount=count,
        TagSpecifications=[specification],
    )
    return sorted(instance["InstanceId"] for instance in answer["Instances"])


def death(**given: Any) -> InstanceTermination:
    settings = {"kind": "instance_termination", "region": REGION, "tags": {"app": "playback"}}
    return InstanceTermination.model_validate(settings | given)


def test_the_instances_that_fit_die_and_stay_dead(place: Environment, tmp_path: Path) -> None:
    async def check() -> None:
        fit, other = await launch(place, 2, app="playback"), await launch(place, 1, app="home")
        recording: Any = Recording(place)
        journal = Journal.create(tmp_path / "journal.jsonl", Stopwatch())
        puller = Puller(recording, journal, frozenset({"instance_termination"}), run="run-1")
        await death(pick="all").inject(Looker(recording), puller.of_fault(0))
        grants = death().grants()
        covered(grants.looks + grants.injects, recording.used)
        assert sorted(pull.lever["instance"] for pull in puller.pulls) == fit
        back = await put_back(puller.pulls, place, journal)
        assert {pull.outcome for pull in back} == {"kept"}
        alive = Termination(region=REGION, instance=other[0])
        assert await alive.read(place) is False
        journal.close()

    asyncio.run(check())


def test_one_protected_instance_among_those_that_fit_is_refused(place: Environment) -> None:
    pulled: list[Lever] = []

    async def pull(lever: Lever, _value: Value, /) -> None:
        pulled.append(lever)

    async def check() -> None:
        protected = (await launch(place, 3, app="playback"))[1]
        change = {"InstanceId": protected, "DisableApiTermination": {"Value": True}}
        await place.call("ec2", REGION, "modify_instance_attribute", **change)
        with pytest.raises(InvalidInput, match=f"{protected} matches and is protected from term"):
            await death(pick="1").inject(Looker(place), pull)

    asyncio.run(check())
    assert not pulled


def test_a_target_tells_its_group_zone_and_how_many_there_are(place: Environment) -> None:
    async def check() -> None:
        (instance,) = await launch(place, 1, aws_autoscaling_groupName="playback")
        gone = (await launch(place, 2, app="home"))[0]
        await Termination(region=REGION, instance=gone).set(place, True)
        (target,) = await Termination(region=REGION, instance=instance).targets(place)
        assert (target.type, target.id, target.group) == ("ec2:instance", instance, "playback")
        assert target.zone == "us-east-1a"
        assert target.among == 2
        assert await Termination(region=REGION, instance=gone).targets(place) == []

    asyncio.run(check())
