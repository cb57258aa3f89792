"""The check of probes finds what is wrong: each probe here breaks one promise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import pytest
from contract.targets import silent
from http_servers import OK, saying, serving
from pydantic import Field

from chaos.testing import Aim, check_probe, check_probe_kind
from probes.net import Net
from probes.probe import Attempt, Probe, ProbeFailed

KEPT: list[asyncio.StreamWriter] = []
TASKS: list[asyncio.Task[None]] = []


class Knock(Probe):
    """Connects, and waits for the word `ok`; as it should be."""

    summary: ClassVar[str] = "whether somebody says ok"
    example: ClassVar[str] = "door: {kind: knock, port: 80}"

    kind: Literal["knock"] = "knock"
    port: int = Field(default=80, description="where")
    timeout: float = 0.2

    async def check(self, net: Net, attempt: Attempt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            if b"\r\n\r\nok" not in await reader.read(1000):
                raise ProbeFailed("nobody said ok")
        finally:
            writer.close()


class Optimist(Knock):
    """Finds everything good."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        pass


class Pessimist(Knock):
    """Finds nothing good."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        raise ProbeFailed("nobody said anything")


class Fragile(Knock):
    """Breaks when it meets what it did not expect."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        try:
            await super().check(net, attempt)
        except ProbeFailed:
            raise KeyError("ok") from None


class Mute(Knock):
    """Does not say what was wrong."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        try:
            await super().check(net, attempt)
        except ProbeFailed:
            raise ProbeFailed from None


class Stubborn(Knock):
    """Asks again when it does not like the answer."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        try:
            await super().check(net, attempt)
        except ProbeFailed:
            await super().check(net, attempt)


class Impatient(Knock):
    """Gives up by a clock of its own, and hides that nobody has answered."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        try:
            await asyncio.wait_for(super().check(net, attempt), 0.05)
        except TimeoutError:
            raise ProbeFailed("nobody said ok") from None


class Silent(Knock):
    """Is to detect faults and never says whether it does."""

    detects: ClassVar[bool] = True


class Hasty(Knock):
    """Says that it detects nothing before it can know."""

    detects: ClassVar[bool] = True

    async def check(self, net: Net, attempt: Attempt) -> None:
        attempt.detail["detected"] = False
        await super().check(net, attempt)


class Hoarder(Knock):
    """Keeps its connection."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        KEPT.append(writer)
        await super().check(net, attempt)


class Parent(Knock):
    """Leaves a task behind."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        TASKS.append(asyncio.create_task(asyncio.sleep(600)))
        await super().check(net, attempt)


class Careless(Knock):
    """Leaves an error behind when it is given up."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        answer = asyncio.get_running_loop().create_future()
        try:
            await super().check(net, attempt)
        except asyncio.CancelledError:
            answer.set_exception(ProbeFailed("given up"))
            raise


async def checked(kind: type[Knock]) -> None:
    asked: list[bytes] = []
    refusing = saying(b"HTTP/1.1 200 OK\r\n\r\nno", asked=asked)
    async with serving(saying(OK)) as good, serving(refusing) as bad, serving(silent) as hanging:
        await check_probe(
            good=Aim(probe=kind(port=good)),
            bad=Aim(probe=kind(port=bad), asked=lambda: len(asked)),
            hanging=Aim(probe=kind(port=hanging)),
        )


def run(kind: type[Knock]) -> None:
    async def main() -> None:
        try:
            await checked(kind)
        finally:
            for writer in KEPT:
                writer.close()
            KEPT.clear()

    asyncio.run(asyncio.wait_for(main(), 60))


@pytest.fixture(autouse=True)
def knows(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Knock]], None]:
    def find(group: str, kind: str) -> type[Any] | None:
        return known[0] if (group, kind) == ("chaos.probes", "knock") else None

    known: list[type[Knock]] = []
    monkeypatch.setattr("chaos.testing.probes.GIVEN_BACK_WITHIN", 0.3)
    monkeypatch.setattr("chaos.extensions.find", find)
    return known.append


def test_a_probe_that_keeps_its_promises(knows: Callable[[type[Knock]], None]) -> None:
    knows(Knock)
    run(Knock)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Optimist, "finds a bad target good"),
        (Pessimist, "finds a good target bad: nobody said anything"),
        (Fragile, "breaks on a bad target: KeyError"),
        (Mute, "does not say what was wrong with a bad target"),
        (Stubborn, "has asked 2 times in one attempt; it may not ask again"),
        (Impatient, "must be timed out at a target that hangs, and says: nobody said ok"),
        (Silent, "must say of a good target that it detects nothing: detected, False"),
        (Hasty, "says whether it detects a fault without an answer"),
        (Hoarder, "keeps a socket of an attempt that was given up"),
        (Careless, "leaves an error that nobody handles: ['given up']"),
        (Parent, "keeps a task of an attempt that was given up"),
    ],
)
def test_a_probe_that_breaks_one(
    knows: Callable[[type[Knock]], None], kind: type[Knock], said: str
) -> None:
    knows(kind)
    with pytest.raises(AssertionError) as failed:
        run(kind)
    assert said in str(failed.value)


def test_a_probe_whose_example_is_none(knows: Callable[[type[Knock]], None]) -> None:
    class Wrong(Knock):
        """Its example has a parameter that it does not have."""

        example: ClassVar[str] = "door: {kind: knock, prot: 80}"

    knows(Wrong)
    with pytest.raises(AssertionError, match="did you mean 'port'"):
        check_probe_kind(Wrong)
