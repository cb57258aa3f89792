"""Balancers and their health checks, on unix sockets and the virtual loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from virtual_labs import played_in

from chaos.lab.addresses import Address, Connect
from chaos.lab.balancer import Balancer
from chaos.lab.gates import State
from chaos.lab.hosts import Host
from chaos.lab.network import Network
from chaos.lab.relay import Relay
from chaos.lab.services import Balancer as Declared

REGIONS = {"us-east-1": ("us-east-1a", "us-east-1b")}
ZONES = REGIONS["us-east-1"]
DECLARED = Declared(path="/health", interval=5, timeout=2, unhealthy=2, healthy=3)


class Instance:
    """Answers the health check as it is told to, and says its name to everyone else."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = b"200 OK"
        self.asked: list[bytes] = []
        self.hangs = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if self.hangs:
            await reader.read()
        elif line.startswith(b"GET"):
            self.asked.append(line)
            writer.write(b"HTTP/1.1 " + self.status + b"\r\n\r\n")
        else:
            writer.write(self.name.encode())
        writer.close()


class Lab:
    """An instance in each of two zones, behind a balancer."""

    def __init__(self, network: Network, declared: Declared) -> None:
        self.network = network
        self.instances: dict[str, Instance] = {}
        self.hosts: dict[str, Host] = {}
        self.servers: list[asyncio.Server] = []
        self.balancer = Balancer("playback", "us-east-1", declared, self.listen)

    def listen(self, connect: Connect) -> Address:
        self.connect = connect
        return self.network.regional("us-east-1", connect)

    async def add(self, zone: str, directory: Path) -> None:
        name = zone[-1]
        self.instances[name] = Instance(name)
        path = str(directory / name)
        self.servers.append(await asyncio.start_unix_server(self.instances[name].talk, path))
        self.hosts[name] = self.network.host("us-east-1", zone, path)
        self.hosts[name].address.up = True
        self.balancer.add(self.hosts[name])

    def healthy(self) -> str:
        """The instances that are healthy: `ab`."""
        targets = self.balancer.describe()["targets"]
        return "".join(name for name, host in self.hosts.items() if targets.get(host.ip))

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client's connection, past the address itself."""
        relay = Relay((), lambda _: None)
        near, client = socket.socketpair()
        await asyncio.get_running_loop().create_connection(lambda: relay.near, sock=near)
        try:
            relay.through(await self.connect(relay))
        except OSError:
            relay.lost(relay.far, reset=False)
        else:
            relay.connected()
        return await asyncio.open_connection(sock=client)

    async def ask(self) -> str:
        """Who answers a new connection; empty when it is closed."""
        reader, writer = await self.open()
        try:
            writer.write(b"who\n")
            return (await reader.read()).decode()
        except ConnectionError:
            return ""
        finally:
            writer.close()


@asynccontextmanager
async def a_lab(directory: Path, declared: Declared = DECLARED) -> AsyncIterator[Lab]:
    network = Network(REGIONS)
    lab = Lab(network, declared)
    for zone in ZONES:
        await lab.add(zone, directory)
    await lab.balancer.all_healthy()
    try:
        yield lab
    finally:
        await lab.balancer.close()
        for host in lab.hosts.values():
            await host.address.close()
        for server in lab.servers:
            server.close()
            await server.wait_closed()
        network.close()
        await asyncio.sleep(0.1)  # what was aborted goes in the loop's next rounds


in_a_lab = played_in(a_lab)


def test_a_new_target_is_healthy_after_its_first_check(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        assert lab.healthy() == "ab"
        assert asyncio.get_running_loop().time() < 1
        assert lab.instances["a"].asked == [b"GET /health HTTP/1.1\r\n"]

    in_a_lab(tmp_path, scenario)


def test_connections_go_round_robin_over_the_zones(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        assert sorted([await lab.ask(), await lab.ask()]) == ["a", "b"]
        assert sorted([await lab.ask(), await lab.ask()]) == ["a", "b"]

    in_a_lab(tmp_path, scenario)


def test_it_takes_as_many_checks_in_a_row_as_declared(tmp_path: Path) -> None:
    """Two failures take a target out, three passes take it in again; checks are 5 s apart."""

    async def scenario(lab: Lab) -> None:
        seen = []
        for status in (b"500 No", b"200 OK", b"302 Found", b"503 No", *[b"200 OK"] * 3):
            lab.instances["a"].status = status
            await asyncio.sleep(5)
            seen.append(lab.healthy())
        assert seen == ["ab", "ab", "ab", "b", "b", "b", "ab"]

    in_a_lab(tmp_path, scenario)


def test_a_target_that_does_not_answer_in_time_fails_its_check(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.instances["b"].hangs = True
        await asyncio.sleep(11)
        assert lab.healthy() == "ab"
        await asyncio.sleep(2)
        assert lab.healthy() == "a"

    in_a_lab(tmp_path, scenario)


def test_only_healthy_targets_are_used_and_all_when_none_is(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.instances["a"].status = b"500 No"
        await asyncio.sleep(11)
        assert [await lab.ask() for _ in range(3)] == ["b", "b", "b"]
        lab.instances["b"].status = b"500 No"
        await asyncio.sleep(11)
        assert lab.healthy() == ""
        assert sorted([await lab.ask(), await lab.ask()]) == ["a", "b"]

    in_a_lab(tmp_path, scenario)


@pytest.mark.parametrize("state", ["drop", "refuse"])
def test_a_cut_zone_is_cut_for_the_balancer_too(tmp_path: Path, state: State) -> None:
    async def scenario(lab: Lab) -> None:
        zone = lab.network.gates["us-east-1a"]
        zone.put(state)
        await asyncio.sleep(13)
        assert lab.healthy() == "b"
        assert [await lab.ask() for _ in range(3)] == ["b", "b", "b"]
        assert zone.met() >= 2
        zone.put("open")
        await asyncio.sleep(16)
        assert lab.healthy() == "ab"

    in_a_lab(tmp_path, scenario)


def test_the_gate_of_the_region_is_not_on_the_way_inside(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.network.gates["us-east-1"].put("drop")
        await asyncio.sleep(20)
        assert lab.healthy() == "ab"
        assert lab.network.gates["us-east-1"].met() == 0

    in_a_lab(tmp_path, scenario)


def test_a_connection_through_the_balancer_freezes_with_its_targets_zone(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        conversations = {}
        for _ in range(2):
            reader, writer = await lab.open()
            conversations[reader] = writer
        lab.network.gates["us-east-1a"].put("drop")
        for writer in conversations.values():
            writer.write(b"who\n")
        said = await asyncio.gather(
            *(asyncio.wait_for(reader.read(), 1) for reader in conversations),
            return_exceptions=True,
        )
        assert b"b" in said
        assert any(isinstance(one, TimeoutError) for one in said)
        lab.network.gates["us-east-1a"].put("open")
        assert b"a" in [await reader.read() for reader in conversations]
        for writer in conversations.values():
            writer.close()

    in_a_lab(tmp_path, scenario)


def test_a_dead_target_that_is_not_found_out_yet_costs_a_connection(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        loop = asyncio.get_running_loop()
        lab.hosts["a"].address.up = False
        before = loop.time()
        assert sorted([await lab.ask(), await lab.ask()]) == ["", "b"]
        assert loop.time() - before == pytest.approx(10)

    in_a_lab(tmp_path, scenario)


def test_one_that_fails_closed_refuses_when_no_target_is_healthy(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        assert await lab.ask() in ("a", "b")
        for instance in lab.instances.values():
            instance.status = b"503 No"
        await asyncio.sleep(11)
        assert lab.healthy() == ""
        assert await lab.ask() == ""

    closed = DECLARED.model_copy(update={"fails_open": False})
    played_in(partial(a_lab, declared=closed))(tmp_path, scenario)


def test_a_target_that_is_gone_is_used_no_more_and_none_at_all_is_a_closed_connection(
    tmp_path: Path,
) -> None:
    async def scenario(lab: Lab) -> None:
        await lab.balancer.remove(lab.hosts["a"])
        assert [await lab.ask() for _ in range(3)] == ["b", "b", "b"]
        await lab.balancer.remove(lab.hosts["b"])
        await lab.balancer.remove(lab.hosts["b"])
        assert await lab.ask() == ""
        assert lab.balancer.describe() == {
            "service": "playback",
            "region": "us-east-1",
            "address": "127.1.0.10",
            "targets": {},
        }

    in_a_lab(tmp_path, scenario)
