"""Instances as real processes, and what the app in them answers when its region does not."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chaos.errors import EnvironmentFailed
from chaos.lab.instances import Hypervisor, Instance, Machine
from chaos.lab.resources import Table
from chaos.lab.services import Service
from chaos.loops import run_at

DEADLINE_S = 60.0


@pytest.fixture
def short() -> Iterator[Path]:
    """A temporary directory with a short path, as unix sockets want it."""
    path = Path(tempfile.mkdtemp(prefix="t"))
    yield path
    shutil.rmtree(path)


def an_instance(directory: Path, name: str = "i-1") -> Instance:
    """In a region whose AWS API refuses connections."""
    return Instance(
        id=name,
        region="us-east-1",
        zone="us-east-1a",
        service=Service(app="playback", table="history", aws_timeout=5),
        table=Table(key="profile", sort_key="watched", regions=("us-east-1",)),
        address="127.1.1.10",
        socket=str(directory / name),
        port=80,
        dns=("127.0.0.1", 53),
        endpoint="http://127.0.0.1:1",
        key=("lab-playback", "lab"),
        speed=1,
    )


class Lab:
    """A hypervisor, and notes of which instances ended by themselves."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hypervisor = Hypervisor()
        self.died = asyncio.Event()

    async def start(self, name: str = "i-1") -> Machine:
        return await self.hypervisor.start(an_instance(self.directory, name), self.died.set)

    async def ask(self, request: bytes, name: str = "i-1") -> tuple[bytes, dict[str, Any]]:
        """The status line and the JSON of an answer, over a connection of its own."""
        reader, writer = await asyncio.open_unix_connection(str(self.directory / name))
        writer.write(request)
        writer.write_eof()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        page: dict[str, Any] = json.loads(body)
        return head.split(b"\r\n")[0], page


@asynccontextmanager
async def a_lab(directory: Path) -> AsyncIterator[Lab]:
    lab = Lab(directory)
    try:
        yield lab
    finally:
        await lab.hypervisor.close()


def in_a_lab(directory: Path, scenario: Callable[[Lab], Awaitable[None]]) -> None:
    async def play() -> None:
        async with asyncio.timeout(DEADLINE_S), a_lab(directory) as lab:
            await scenario(lab)

    run_at(1, play())


def runs(pid: int) -> bool:
    """Whether there is such a process; a zombie is one too."""
    return Path(f"/proc/{pid}").exists()


def pid_of(machine: Machine) -> int:
    pid = machine._process.pid
    assert pid is not None
    return pid


def test_an_instance_answers_when_it_has_started_and_is_gone_when_killed(short: Path) -> None:
    async def scenario(lab: Lab) -> None:
        machine = await lab.start()
        pid = pid_of(machine)
        status, page = await lab.ask(b"GET /health HTTP/1.1\r\n\r\n")
        assert status == b"HTTP/1.1 200 OK"
        assert page == {
            "region": "us-east-1",
            "zone": "us-east-1a",
            "instance": "i-1",
            "status": "ok",
        }
        machine.kill()
        machine.kill()
        await machine.ended()
        machine.kill()
        assert not runs(pid)
        assert not lab.died.is_set()

    in_a_lab(short, scenario)


def test_a_stopped_instance_starts_again_on_the_same_socket(short: Path) -> None:
    async def scenario(lab: Lab) -> None:
        (await lab.start()).kill()
        await lab.start()
        assert (await lab.ask(b"GET /health HTTP/1.1\r\n\r\n"))[0] == b"HTTP/1.1 200 OK"

    in_a_lab(short, scenario)


def test_a_death_that_nobody_asked_for_is_noticed(short: Path) -> None:
    async def scenario(lab: Lab) -> None:
        machine = await lab.start()
        os.kill(pid_of(machine), signal.SIGKILL)
        await lab.died.wait()
        await machine.ended()

    in_a_lab(short, scenario)


def test_closing_ends_every_process_and_leaves_no_zombie(short: Path) -> None:
    async def scenario(lab: Lab) -> None:
        machines = await asyncio.gather(*(lab.start(f"i-{n}") for n in range(3)))
        pids = [pid_of(machine) for machine in machines]
        await lab.hypervisor.close()
        assert not any(map(runs, pids))

    in_a_lab(short, scenario)


def test_a_start_that_is_given_up_leaves_no_process(short: Path) -> None:
    async def scenario(lab: Lab) -> None:
        await lab.start("i-0")
        starting = asyncio.create_task(lab.start())
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await lab.hypervisor.close()
        made = [task.result() for task in lab.hypervisor._made]
        assert len(made) == 2
        for machine in made:
            await machine.ended()

    in_a_lab(short, scenario)


def test_an_instance_that_cannot_start_is_told(short: Path) -> None:
    async def scenario(lab: Lab) -> None:
        lab.directory = short / "nowhere"
        with pytest.raises(EnvironmentFailed, match="did not come up"):
            await lab.start()

    in_a_lab(short, scenario)


WATCHED = b'{"profile": "k", "title": "t", "position": 1}'


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (b"GET /playback?profile=kim HTTP/1.1\r\n\r\n", 503, "no history: Could not connect"),
        (b"GET /nothing HTTP/1.1\r\n\r\n", 404, "nothing at /nothing"),
        (b"POST /history HTTP/1.1\r\n\r\n", 400, "a body of at most 64 KiB is wanted"),
        (
            b"POST /history HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n",
            400,
            "a body of at most 64 KiB is wanted",
        ),
        (
            b"POST /history HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]",
            400,
            "a JSON object with profile, title and position is wanted",
        ),
        (
            b"POST /history HTTP/1.1\r\nContent-Length: 45\r\n\r\n" + WATCHED,
            503,
            "no history: Could not connect",
        ),
        (b"POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 404, "POST is for /history"),
    ],
)
def test_the_app_says_why_it_cannot(short: Path, request_: bytes, status: int, error: str) -> None:
    async def scenario(lab: Lab) -> None:
        await lab.start()
        line, page = await lab.ask(request_)
        assert line.startswith(b"HTTP/1.1 %d " % status)
        assert page["error"].startswith(error)
        assert page["region"] == "us-east-1"

    in_a_lab(short, scenario)
