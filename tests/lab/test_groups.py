"""The lab's stand-in for Auto Scaling, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chaos.errors import CallFailed
from chaos.lab.declaration import Lab
from chaos.lab.groups import Groups, Key
from chaos.lab.inventory import Wanted
from chaos.loops import run_virtual

DETECTION = 15
REGION, ZONE = "us-east-1", "us-east-1a"
PLAYBACK = ("playback", REGION, ZONE)


def declared(**group: list[str]) -> Lab:
    plain = {"app": "recommendations", "per_zone": 2}
    return Lab.model_validate(
        {
            "name": "test-lab",
            "regions": {REGION: [ZONE]},
            "timing": {"detection": f"{DETECTION}s"},
            "services": {"playback": {**plain, "auto_scaling": group}, "alone": plain},
            "dns": {"zone": "stream.example"},
        }
    )


class Ec2:
    """Instances of one zone by their states, and what was launched, and when."""

    def __init__(self, lab: Lab, *states: str) -> None:
        self.states = [*states]
        self.launched: list[tuple[float, Key, int]] = []
        self.fails = False
        self.groups = Groups(lab, self.look, self.launch)

    async def look(self) -> list[Wanted]:
        about = {"region": REGION, "zone": ZONE, "service": "playback", "group": None}
        return [Wanted(id=f"i-{n}", state=s, **about) for n, s in enumerate(self.states)]  # type: ignore[arg-type]

    async def launch(self, group: Key, count: int) -> None:
        await asyncio.sleep(1)
        if self.fails:
            raise CallFailed("ec2 run_instances", "Down", "no answer")
        self.launched.append((asyncio.get_running_loop().time(), group, count))
        self.states += ["pending"] * count

    async def followed(self) -> None:
        self.groups.follow(await self.look())


def play(scenario: Callable[[Ec2], Awaitable[None]], *states: str, **group: list[str]) -> Ec2:
    async def main() -> Ec2:
        ec2 = Ec2(declared(**group), *states)
        await scenario(ec2)
        await ec2.groups.stop()
        return ec2

    return run_virtual(main())


async def a_while(ec2: Ec2) -> None:
    """Looks every five seconds, as the fleet does."""
    for _ in range(10):
        await ec2.followed()
        await asyncio.sleep(5)


def test_a_group_that_lacks_instances_is_refilled_after_the_time_it_takes_to_notice() -> None:
    ec2 = play(a_while, "running", "terminated")
    assert ec2.launched == [(DETECTION + 1, PLAYBACK, 1)]


def test_all_that_is_gone_is_launched_at_once_and_only_once() -> None:
    ec2 = play(a_while, "shutting-down", "terminated")
    assert [(group, count) for _, group, count in ec2.launched] == [(PLAYBACK, 2)]


@pytest.mark.parametrize("state", ["pending", "running", "stopping", "stopped"])
def test_what_is_not_gone_is_not_replaced(state: str) -> None:
    assert not play(a_while, "running", state).launched


def test_one_that_is_there_again_in_the_meantime_is_not_replaced() -> None:
    async def back(ec2: Ec2) -> None:
        await ec2.followed()
        await asyncio.sleep(DETECTION - 1)
        ec2.states.append("running")
        await asyncio.sleep(5)

    assert not play(back, "running").launched


def test_a_group_that_may_not_launch_does_not() -> None:
    assert not play(a_while, suspended=["Launch"]).launched


def test_a_launch_that_fails_is_told_and_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    async def mended(ec2: Ec2) -> None:
        ec2.fails = True
        await ec2.followed()
        await asyncio.sleep(DETECTION + 2)
        ec2.fails = False
        await a_while(ec2)

    assert len(play(mended, "running").launched) == 1
    assert "cannot refill the group of playback us-east-1" in capsys.readouterr().err


def test_when_the_lab_ends_a_launch_under_way_is_awaited() -> None:
    async def ended(ec2: Ec2) -> None:
        await ec2.followed()
        await asyncio.sleep(DETECTION + 0.5)

    assert len(play(ended, "running").launched) == 1
