"""The fleet against an EC2 in memory and processes that are only noted, on the virtual loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chaos.errors import CallFailed, EnvironmentFailed
from chaos.lab.declaration import Lab as Declaration
from chaos.lab.fleet import Fleet
from chaos.lab.instances import Instance
from chaos.lab.network import Network
from chaos.loops import run_virtual
from chaos.proxies.request import ApiRequest

BOOT, DETECTION = 25, 15
ZONE = "us-east-1a"
LAB = Declaration.model_validate(
    {
        "name": "test-lab",
        "regions": {"us-east-1": [ZONE, "us-east-1b"]},
        "timing": {"boot": f"{BOOT}s", "detection": f"{DETECTION}s"},
        "services": {"playback": {"app": "playback", "table": "history", "aws_timeout": "1s"}},
        "tables": {"history": {"key": "id", "sort_key": "at", "regions": ["us-east-1"]}},
        "dns": {"zone": "stream.example"},
    }
)
TERMINATE = ApiRequest(region="us-east-1", service="ec2", operation="TerminateInstances")
DESCRIBE = ApiRequest(region="us-east-1", service="ec2", operation="DescribeInstances")


class Ec2:
    """Instances by id, as DescribeInstances shows them, a page for each."""

    def __init__(self) -> None:
        self.instances: dict[str, dict[str, Any]] = {}
        self.suspended: list[str] = []
        self.fails = False

    def run(
        self, name: str, *, zone: str = ZONE, group: str = "", service: str = "playback"
    ) -> None:
        tags = {"service": service, **({"aws:autoscaling:groupName": group} if group else {})}
        self.instances[name] = {
            "InstanceId": name,
            "Placement": {"AvailabilityZone": zone},
            "State": {"Name": "running"},
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def put(self, name: str, state: str) -> None:
        self.instances[name]["State"] = {"Name": state}

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        if self.fails:
            raise CallFailed(f"{service} {operation} in {region}", "Down", "no answer")
        if operation == "describe_auto_scaling_groups":
            processes = [{"ProcessName": name} for name in self.suspended]
            group = {"AutoScalingGroupName": "group", "SuspendedProcesses": processes}
            return {"AutoScalingGroups": [group]}
        page = int(params.get("NextToken", 0))
        shown = [*self.instances.values()][page : page + 1]
        more = {"NextToken": str(page + 1)} if page + 1 < len(self.instances) else {}
        return {"Reservations": [{"Instances": shown}], **more}


class Noted:
    """A process that is only noted."""

    def __init__(self, instance: Instance, on_death: Callable[[], None]) -> None:
        self.instance = instance
        self.on_death = on_death
        self.killed = False

    def kill(self) -> None:
        self.killed = True


class Notebook:
    """What was started, in that order."""

    def __init__(self) -> None:
        self.started: list[Noted] = []
        self.fails = False

    async def start(self, instance: Instance, on_death: Callable[[], None], /) -> Noted:
        await asyncio.sleep(0.1)
        if self.fails:
            raise EnvironmentFailed("no more processes")
        self.started.append(Noted(instance, on_death))
        return self.started[-1]


class Registry:
    """A balancer that only knows its targets."""

    def __init__(self) -> None:
        self.targets: list[str] = []

    def add(self, host: Any) -> None:
        self.targets.append(host.ip)

    async def remove(self, host: Any) -> None:
        self.targets.remove(host.ip)


class World:
    """The fleet with all its fakes."""

    def __init__(self, directory: Path, network: Network) -> None:
        self.ec2, self.processes, self.balancer = Ec2(), Notebook(), Registry()
        balancers: Any = {("playback", "us-east-1"): self.balancer}
        self.fleet = Fleet(
            lab=LAB,
            directory=directory,
            endpoint="http://127.0.0.1:1",
            dns=5300,
            call=self.ec2.call,
            hypervisor=self.processes,
            network=network,
            balancers=balancers,
        )

    def states(self) -> list[tuple[str, str]]:
        return [(member["address"], member["state"]) for member in self.fleet.describe()]

    async def told(self) -> None:
        """The fleet hears of a change, and has had the time to look."""
        self.fleet.seen(TERMINATE, b"", 200)
        await asyncio.sleep(0.01)


@asynccontextmanager
async def a_world(directory: Path) -> AsyncIterator[World]:
    network = Network(LAB.regions)
    world = World(directory, network)
    try:
        yield world
    finally:
        await world.fleet.stop()
        network.close()


def in_a_world(directory: Path, scenario: Callable[[World], Awaitable[None]]) -> None:
    async def play() -> None:
        async with a_world(directory) as world:
            await scenario(world)

    run_virtual(play())


def test_what_runs_at_the_start_is_up_at_once(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.ec2.run("i-1", group="group")
        world.ec2.run("i-2", zone="us-east-1b")
        world.ec2.run("i-3")
        world.ec2.put("i-3", "stopped")
        await world.fleet.start()
        assert asyncio.get_running_loop().time() < 1
        assert world.states() == [("127.1.1.10", "running"), ("127.1.2.10", "running")]
        assert world.balancer.targets == ["127.1.1.10", "127.1.2.10"]
        assert world.processes.started[0].instance == Instance(
            id="i-1",
            region="us-east-1",
            zone=ZONE,
            service=LAB.services["playback"],
            table=LAB.tables["history"],
            address="127.1.1.10",
            socket=str(tmp_path / "i-1"),
            port=world.fleet.network.port,
            dns=("127.0.0.1", 5300),
            endpoint="http://127.0.0.1:1",
            key=("lab-playback", "lab"),
            speed=1,
        )

    in_a_world(tmp_path, scenario)


def test_a_terminated_instance_is_gone_at_once_and_out_of_the_balancer_when_noticed(
    tmp_path: Path,
) -> None:
    async def scenario(world: World) -> None:
        world.ec2.run("i-1")
        await world.fleet.start()
        world.ec2.put("i-1", "terminated")
        await world.told()
        assert world.states() == [("127.1.1.10", "terminated")]
        assert world.processes.started[0].killed
        assert world.balancer.targets == ["127.1.1.10"]
        await asyncio.sleep(DETECTION)
        assert world.balancer.targets == []

    in_a_world(tmp_path, scenario)


def test_a_group_replaces_after_detection_and_boot_at_a_new_address(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.ec2.run("i-1", group="group")
        await world.fleet.start()
        world.ec2.put("i-1", "terminated")
        world.ec2.run("i-2", group="group")
        await world.told()
        await asyncio.sleep(DETECTION + BOOT - 1)
        assert world.states() == [("127.1.1.10", "terminated"), ("127.1.1.11", "pending")]
        assert world.balancer.targets == []
        await asyncio.sleep(1)
        assert world.states()[1] == ("127.1.1.11", "running")
        assert world.balancer.targets == ["127.1.1.11"]

    in_a_world(tmp_path, scenario)


def test_an_instance_that_somebody_launches_needs_to_boot_only(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.fleet.start()
        world.ec2.run("i-1")
        await world.told()
        await asyncio.sleep(BOOT - 1)
        assert world.states() == [("127.1.1.10", "pending")]
        await asyncio.sleep(1)
        assert world.states() == [("127.1.1.10", "running")]

    in_a_world(tmp_path, scenario)


def test_a_group_with_launch_suspended_starts_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.fleet.start()
        world.ec2.suspended = ["Launch"]
        world.ec2.run("i-1", group="group")
        await world.told()
        await asyncio.sleep(1000)
        assert world.states() == [("127.1.1.10", "pending")]
        assert world.processes.started == []
        world.ec2.suspended = ["AlarmNotification"]
        await asyncio.sleep(5 + BOOT)
        assert world.states() == [("127.1.1.10", "running")]

    in_a_world(tmp_path, scenario)


def test_a_stopped_instance_starts_again_where_it_was(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.ec2.run("i-1")
        await world.fleet.start()
        world.ec2.put("i-1", "stopped")
        await world.told()
        assert world.states() == [("127.1.1.10", "stopped")]
        assert world.processes.started[0].killed
        world.ec2.put("i-1", "running")
        await world.told()
        assert world.states() == [("127.1.1.10", "pending")]
        await asyncio.sleep(BOOT)
        assert world.states() == [("127.1.1.10", "running")]
        assert not world.processes.started[1].killed

    in_a_world(tmp_path, scenario)


@pytest.mark.parametrize("after", [1, DETECTION + 1])
def test_an_instance_that_is_terminated_while_it_boots_never_comes_up(
    tmp_path: Path, after: int
) -> None:
    async def scenario(world: World) -> None:
        await world.fleet.start()
        world.ec2.run("i-1", group="group")
        await world.told()
        await asyncio.sleep(after)
        world.ec2.put("i-1", "terminated")
        await world.told()
        await asyncio.sleep(1000)
        assert world.states() == [("127.1.1.10", "terminated")]
        assert all(process.killed for process in world.processes.started)

    in_a_world(tmp_path, scenario)


def test_a_process_that_ends_by_itself_is_a_crash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(world: World) -> None:
        world.ec2.run("i-1")
        await world.fleet.start()
        world.processes.started[0].on_death()
        assert world.states() == [("127.1.1.10", "crashed")]

    in_a_world(tmp_path, scenario)
    assert "i-1 of the lab ended by itself" in capsys.readouterr().err


def test_a_process_that_ends_while_it_boots_does_not_come_up(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.fleet.start()
        world.ec2.run("i-1")
        await world.told()
        await asyncio.sleep(1)
        world.processes.started[0].on_death()
        await asyncio.sleep(BOOT)
        assert world.states() == [("127.1.1.10", "crashed")]
        assert world.balancer.targets == []

    in_a_world(tmp_path, scenario)


def test_a_boot_that_fails_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(world: World) -> None:
        await world.fleet.start()
        world.processes.fails = True
        world.ec2.run("i-1")
        await world.told()
        await asyncio.sleep(BOOT)
        assert world.states() == [("127.1.1.10", "crashed")]

    in_a_world(tmp_path, scenario)
    assert "i-1 of the lab cannot boot: no more processes" in capsys.readouterr().err


def test_a_change_that_nobody_told_is_found_within_five_seconds(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.ec2.run("i-1")
        await world.fleet.start()
        world.ec2.put("i-1", "terminated")
        world.fleet.seen(DESCRIBE, b"", 200)
        await asyncio.sleep(1)
        assert world.states() == [("127.1.1.10", "running")]
        await asyncio.sleep(5)
        assert world.states() == [("127.1.1.10", "terminated")]

    in_a_world(tmp_path, scenario)


def test_an_api_that_fails_is_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(world: World) -> None:
        world.ec2.run("i-1")
        await world.fleet.start()
        world.ec2.put("i-1", "terminated")
        world.ec2.fails = True
        await world.told()
        assert world.states() == [("127.1.1.10", "running")]
        world.ec2.fails = False
        await asyncio.sleep(6)
        assert world.states() == [("127.1.1.10", "terminated")]

    in_a_world(tmp_path, scenario)
    assert "the lab cannot follow EC2: ec2 describe_instances" in capsys.readouterr().err


def test_instances_that_are_none_of_the_labs_are_left_alone(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.ec2.run("i-1", service="other")
        world.ec2.run("i-2", zone="us-east-1f")
        await world.fleet.start()
        assert world.states() == []

    in_a_world(tmp_path, scenario)
