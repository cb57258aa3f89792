"""Addresses on real sockets, cut and opened; on the virtual loop, so that hanging costs nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from virtual_labs import played_in

from chaos.errors import EnvironmentFailed, InvalidInput
from chaos.lab.addresses import Address
from chaos.lab.gates import Gate, State
from chaos.lab.hosts import Host
from chaos.lab.network import Network
from chaos.loops import run_virtual

REGIONS = {"us-east-1": ("us-east-1a", "us-east-1b"), "us-west-2": ("us-west-2a",)}
REGION, ZONE = "us-east-1", "us-east-1a"
STATES: list[State] = ["open", "drop", "refuse"]


class Backend:
    """Sends everything back, in upper case, and says `.` at the end of what it was sent."""

    def __init__(self) -> None:
        self.connections = 0
        self.received = b""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.received += data
                writer.write(data.upper())
                await writer.drain()
            writer.write(b".")
        writer.close()


class Lab:
    """One host with a backend that answers, and a network around it."""

    def __init__(self, network: Network, host: Host, backend: Backend) -> None:
        self.network = network
        self.host = host
        self.backend = backend

    def gate(self, scope: str) -> Gate:
        return self.network.gates[scope]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host.ip, self.network.port)

    async def say(self, text: bytes) -> bytes:
        reader, writer = await self.connect()
        writer.write(text)
        writer.write_eof()
        said = await reader.read()
        writer.close()
        return said

    async def expect(self, state: State) -> None:
        """No timer but where one must fire: the virtual loop would not wait for the kernel."""
        if state == "open":
            assert await self.say(b"hello") == b"HELLO."
            return
        with pytest.raises(ConnectionRefusedError if state == "refuse" else TimeoutError):
            async with asyncio.timeout(20 if state == "drop" else None):
                await self.connect()


@asynccontextmanager
async def a_lab(directory: Path) -> AsyncIterator[Lab]:
    backend = Backend()
    path = str(directory / "backend")
    server = await asyncio.start_unix_server(backend.talk, path)
    network = Network(REGIONS)
    host = network.host(REGION, ZONE, path)
    host.address.up = True
    try:
        yield Lab(network, host, backend)
    finally:
        await host.address.close()
        network.close()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.1)  # what was aborted goes in the loop's next rounds


in_a_lab = played_in(a_lab)


def test_it_passes_everything_both_ways_and_half_closes(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        sent = bytes(range(97, 123)) * 40_000
        assert await lab.say(sent) == sent.upper() + b"."

    in_a_lab(tmp_path, scenario)


def test_a_client_that_does_not_read_holds_the_backend_back(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        _reader, writer = await lab.connect()

        async def write_all() -> None:
            for _ in range(1000):
                writer.write(b"x" * 65536)
                await writer.drain()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(write_all(), 20)
        writer.transport.abort()

    in_a_lab(tmp_path, scenario)


@pytest.mark.parametrize("scope", [REGION, ZONE])
@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("state", STATES)
def test_a_gate_does_what_its_state_says_whatever_it_was_before(
    tmp_path: Path, scope: str, before: State, state: State
) -> None:
    async def scenario(lab: Lab) -> None:
        lab.gate(scope).put(before)
        await lab.expect(before)
        lab.gate(scope).put(state)
        lab.gate(scope).put(state)
        await lab.expect(state)
        lab.gate(scope).put("open")
        await lab.expect("open")
        await lab.expect("open")

    in_a_lab(tmp_path, scenario)


def test_gates_of_others_change_nothing(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.gate("us-west-2").put("drop")
        lab.gate("us-east-1b").put("refuse")
        await lab.expect("open")

    in_a_lab(tmp_path, scenario)


def test_dropped_packets_are_counted_for_the_outermost_closed_gate(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        region, zone = lab.gate(REGION), lab.gate(ZONE)
        zone.put("drop")
        assert (region.met(), zone.met()) == (0, 0)
        await lab.expect("drop")
        assert (region.met(), zone.met()) == (0, 1)
        region.put("drop")
        await lab.expect("drop")
        assert (region.met(), zone.met()) == (1, 1)
        region.put("open")
        zone.put("open")
        await lab.expect("open")
        assert (region.met(), zone.met()) == (1, 1)

    in_a_lab(tmp_path, scenario)


def test_the_backend_sees_only_real_clients(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        for _ in range(3):
            lab.gate(REGION).put("drop")
            lab.gate(REGION).put("open")
        await lab.expect("open")
        assert lab.backend.connections == 1

    in_a_lab(tmp_path, scenario)


def test_a_connection_that_stands_freezes_and_goes_on(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        reader, writer = await lab.connect()
        writer.write(b"one ")
        assert await reader.readexactly(4) == b"ONE "
        lab.gate(REGION).put("drop")
        writer.write(b"two")
        writer.write_eof()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await reader.read(1)
        assert lab.backend.received == b"one "
        assert lab.gate(REGION).met() == 1
        lab.gate(REGION).put("open")
        assert await reader.read() == b"TWO."
        writer.close()

    in_a_lab(tmp_path, scenario)


def test_a_connection_that_stands_is_reset_by_a_gate_that_refuses(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        reader, writer = await lab.connect()
        writer.write(b"one ")
        assert await reader.readexactly(4) == b"ONE "
        lab.gate(ZONE).put("refuse")
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        assert lab.gate(ZONE).met() == 1
        writer.close()

    in_a_lab(tmp_path, scenario)


def test_an_address_without_a_host_swallows_packets_and_no_gate_has_met_them(
    tmp_path: Path,
) -> None:
    async def scenario(lab: Lab) -> None:
        lab.host.address.up = False
        await lab.expect("drop")
        assert lab.gate(REGION).met() == lab.gate(ZONE).met() == 0
        lab.gate(REGION).put("refuse")
        await lab.expect("refuse")
        lab.gate(REGION).put("open")
        await lab.expect("drop")
        lab.host.address.up = True
        await lab.expect("open")

    in_a_lab(tmp_path, scenario)


def test_a_backend_that_does_not_take_it_is_a_closed_connection(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        host = lab.network.host(REGION, ZONE, str(tmp_path / "nobody"))
        host.address.up = True
        reader, writer = await asyncio.open_connection(host.ip, lab.network.port)
        assert await reader.read() == b""
        writer.close()
        await host.address.close()

    in_a_lab(tmp_path, scenario)


def test_a_gate_that_closes_while_the_backend_is_dialled_holds_the_connection(
    tmp_path: Path,
) -> None:
    async def scenario(lab: Lab) -> None:
        reader, writer = await lab.connect()
        lab.gate(REGION).put("refuse")
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        lab.gate(REGION).put("open")
        reader, writer = await lab.connect()
        lab.gate(REGION).put("drop")
        writer.write(b"one")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await reader.read(1)
        lab.gate(REGION).put("open")
        assert await reader.readexactly(3) == b"ONE"
        writer.close()

    in_a_lab(tmp_path, scenario)


def test_addresses_say_where_they_are_and_are_never_given_out_twice(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        network = lab.network
        assert lab.host.ip == "127.1.1.10"
        hosts = [network.host("us-west-2", "us-west-2a", "x"), network.host(REGION, ZONE, "y")]
        assert [host.ip for host in hosts] == ["127.2.1.10", "127.1.1.11"]
        await hosts[1].address.close()
        hosts.append(network.host(REGION, ZONE, "z"))
        assert hosts[2].ip == "127.1.1.12"
        for host in (hosts[0], hosts[2]):
            await host.address.close()

    in_a_lab(tmp_path, scenario)


def test_a_full_zone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(lab: Lab) -> None:
        monkeypatch.setattr("chaos.lab.network.LAST_HOST", 10)
        with pytest.raises(EnvironmentFailed, match=r"no address left in 127\.1\.1\.0/24"):
            lab.network.host(REGION, ZONE, "x")

    in_a_lab(tmp_path, scenario)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EnvironmentFailed, match=rf"port {port} .*ports\.http.* taken"):
            Network(REGIONS, port)


def test_a_system_without_such_addresses_is_told() -> None:
    async def nowhere() -> None:
        async def connect(_: object) -> tuple[Gate, ...]:
            raise AssertionError

        with pytest.raises(EnvironmentFailed, match=r"needs Linux.*192\.0\.2\.1"):
            Address("192.0.2.1", 0, gates=(), connect=connect)

    run_virtual(nowhere())


def test_gates_that_are_not_there_are_told(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        with pytest.raises(InvalidInput, match=r"no region or zone 'mars'.*us-east-1b, us-west-2"):
            lab.gate("mars")
        with pytest.raises(InvalidInput, match="cannot be 'shut'; it can be open, drop, refuse"):
            lab.network.gates.put(REGION, "shut")

    in_a_lab(tmp_path, scenario)
