"""What a link's rule does to connections, on real sockets and the virtual loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from virtual_labs import played_in

from chaos.lab.error_answers import answer
from chaos.lab.network import Network

REGION, ZONE = "us-east-1", "us-east-1a"
HOME = "127.1.1.250"  # where no host of these tests is
SERVICES = ["home", "recommendations"]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Lab:
    """One instance of `recommendations`, which says everything again, in two halves."""

    def __init__(self, directory: Path, network: Network) -> None:
        self.network = network
        self.host = network.host(REGION, ZONE, str(directory / "backend"), "recommendations")
        self.host.address.up = True
        self.heard: list[bytes] = []
        self.opened: list[asyncio.StreamWriter] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1000):
                self.heard.append(data)
                writer.write(data[: len(data) // 2])
                await asyncio.sleep(0.001)  # so that the halves do not come together
                writer.write(data[len(data) // 2 :])
            writer.write(b".")
        writer.close()

    def put(self, action: str | None, **more: Any) -> None:
        rule = {"action": action, "to": "recommendations", "from": "home", **more}
        self.network.links.rules.put("r", rule if action else None)

    @property
    def hits(self) -> int:
        found: int = self.network.links.rules.describe("r")["hits"]
        return found

    async def connect(self, source: str = HOME) -> Streams:
        reader, writer = await asyncio.open_connection(
            self.host.ip, self.network.port, local_addr=(source, 0)
        )
        self.opened.append(writer)
        return reader, writer


@asynccontextmanager
async def a_lab(directory: Path) -> AsyncIterator[Lab]:
    network = Network({REGION: (ZONE,)}, services=SERVICES)
    network.links.lives_at(HOME, "home")
    lab = Lab(directory, network)
    server = await asyncio.start_unix_server(lab.talk, directory / "backend")
    try:
        yield lab
    finally:
        for writer in lab.opened:
            writer.transport.abort()
        await lab.host.address.close()
        network.close()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.1)  # what was aborted goes in the loop's next rounds


in_a_lab = played_in(a_lab)


async def echo(streams: Streams, text: bytes = b"hello") -> bytes:
    reader, writer = streams
    writer.write(text)
    return await reader.readexactly(len(text))


def now() -> float:
    return asyncio.get_running_loop().time()


async def silent(streams: Streams) -> bool:
    """Whether nothing comes for a while, and nothing is closed."""
    try:
        await asyncio.wait_for(streams[0].read(1), 20)
    except TimeoutError:
        return True
    return False


ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("refuse", {}),
    ("hang", {}),
    ("error", {"status": 500}),
    ("delay", {"seconds": 3}),
]


@pytest.mark.parametrize(("action", "more"), ACTIONS)
def test_other_consumers_notice_nothing(tmp_path: Path, action: str, more: dict[str, Any]) -> None:
    async def scenario(lab: Lab) -> None:
        standing = await lab.connect("127.0.0.1")
        lab.put(action, **more)
        start = now()
        for streams in (standing, await lab.connect("127.0.0.1"), await lab.connect("127.1.1.251")):
            assert await echo(streams) == b"hello"
        assert now() - start < 1
        assert lab.hits == 0

    in_a_lab(tmp_path, scenario)


@pytest.mark.parametrize(("action", "more"), ACTIONS)
def test_all_is_well_again_when_the_rule_is_gone(
    tmp_path: Path, action: str, more: dict[str, Any]
) -> None:
    async def scenario(lab: Lab) -> None:
        for _ in range(2):
            lab.put(action, **more)
            with suppress(ConnectionError):
                (await lab.connect())[1].write(b"x")
            lab.put(None)
            start = now()
            assert await echo(await lab.connect()) == b"hello"
            assert now() - start < 1

    in_a_lab(tmp_path, scenario)


def test_refuse_resets_connections_that_stand_and_new_ones(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        standing = await lab.connect()
        assert await echo(standing) == b"hello"
        lab.put("refuse")
        with pytest.raises(ConnectionResetError):
            await standing[0].read(1)
        with pytest.raises(ConnectionResetError):
            await echo(await lab.connect())
        assert lab.hits == 2
        assert lab.heard == [b"hello"]

    in_a_lab(tmp_path, scenario)


def test_hang_accepts_and_never_answers_and_what_was_frozen_goes_on(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        standing = await lab.connect()
        assert await echo(standing) == b"hello"
        lab.put("hang")
        new = await lab.connect()
        for streams in (standing, new):
            streams[1].write(b"again")
            assert await silent(streams)
        assert lab.heard == [b"hello"]
        assert lab.hits == 2
        lab.put(None)
        for streams in (standing, new):
            assert await streams[0].readexactly(5) == b"again"

    in_a_lab(tmp_path, scenario)


def test_hang_that_becomes_refuse_resets_what_was_frozen(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        standing = await lab.connect()
        lab.put("hang")
        assert await silent(standing)
        lab.put("refuse")
        with pytest.raises(ConnectionResetError):
            await standing[0].read(1)

    in_a_lab(tmp_path, scenario)


def test_delay_holds_each_answer_back_once_and_keeps_its_order(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        streams = await lab.connect()
        assert await echo(streams) == b"hello"
        lab.put("delay", seconds=3)
        for n in range(1, 3):
            start = now()
            assert await echo(streams, b"0123456789") == b"0123456789"
            assert now() - start == pytest.approx(3, abs=0.1)
            assert lab.hits == n

    in_a_lab(tmp_path, scenario)


def test_delay_holds_the_end_of_an_answer_back_too(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.put("delay", seconds=3)
        reader, writer = await lab.connect()
        start = now()
        writer.write(b"hello")
        writer.write_eof()
        assert await reader.read() == b"hello."
        assert now() - start == pytest.approx(3, abs=0.1)

    in_a_lab(tmp_path, scenario)


def test_what_is_held_back_comes_at_once_when_the_delay_is_gone(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.put("delay", seconds=300)
        streams = await lab.connect()
        streams[1].write(b"hello")
        assert await silent(streams)
        lab.put(None)
        start = now()
        assert await streams[0].readexactly(5) == b"hello"
        assert now() - start < 1
        assert await echo(streams) == b"hello"

    in_a_lab(tmp_path, scenario)


def test_a_client_that_gives_up_a_slow_answer_is_let_go(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.put("delay", seconds=3)
        streams = await lab.connect()
        streams[1].write(b"hello")
        await asyncio.sleep(1)
        streams[1].transport.abort()
        await asyncio.sleep(10)
        assert not lab.host.address._relays

    in_a_lab(tmp_path, scenario)


def test_error_answers_every_request_with_the_status(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.put("error", status=502)
        for n in range(1, 3):
            reader, writer = await lab.connect()
            writer.write(b"GET /home HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.read() == answer(502)
            assert lab.hits == n
        assert lab.heard == []

    in_a_lab(tmp_path, scenario)


def test_error_resets_what_stands_so_that_keep_alive_does_not_get_around_it(
    tmp_path: Path,
) -> None:
    async def scenario(lab: Lab) -> None:
        standing = await lab.connect()
        assert await echo(standing) == b"hello"
        lab.put("error", status=502)
        with pytest.raises(ConnectionResetError):
            await standing[0].read(1)
        assert lab.hits == 1
        silent_one = await lab.connect()
        assert await silent(silent_one)
        lab.put(None)
        with pytest.raises(ConnectionResetError):  # it must not meet the error after the end
            await silent_one[0].read(1)

    in_a_lab(tmp_path, scenario)


def test_a_region_that_is_cut_cuts_a_link_that_fails_too(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.put("error", status=502)
        streams = await lab.connect()
        assert await silent(streams)
        lab.network.gates.put(REGION, "drop")
        streams[1].write(b"GET / HTTP/1.1\r\n\r\n")
        assert await silent(streams)
        lab.network.gates.put(REGION, "open")
        assert (await streams[0].read()).startswith(b"HTTP/1.1 502 ")

    in_a_lab(tmp_path, scenario)
