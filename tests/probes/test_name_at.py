"""When the answer of DNS had come by which a bad attempt went to the wrong place."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest

from chaos.loops import run_virtual
from probes.names import Cache, Names
from probes.net import Net
from probes.probe import Attempt, Probe, ProbeFailed, Sample
from probes.schedule import run_probe

TTL = 5


class Walker(Probe):
    """Looks the name up, and fails as long as it is told to."""

    kind: Literal["walker"] = "walker"
    good: bool = False

    async def check(self, net: Net, attempt: Attempt) -> None:
        await net.address("www.shop.example", attempt)
        if not self.good:
            raise ProbeFailed("nobody is there")


def samples(cache: Cache, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> list[Sample]:
    async def ask(names: Names, host: str) -> tuple[str, int]:
        return "127.1.0.10", TTL

    async def main() -> list[Sample]:
        found: list[Sample] = []
        net, now = Net(names=Names(cache=cache)), asyncio.get_running_loop().time()
        walker = Walker(every=2, **settings)
        ticking = asyncio.create_task(
            run_probe("p", walker, net, run="r", origin=now, emit=found.append)
        )
        await asyncio.sleep(13)
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        return found

    monkeypatch.setattr(Names, "_ask", ask)
    return run_virtual(main())


def came(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    return [s.detail.get("name_at") for s in samples(cache, monkeypatch)]


def test_it_is_told_when_the_answer_came_that_was_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert came("ttl", monkeypatch) == pytest.approx([0, 0, 0, 6, 6, 6, 12])
    assert came("forever", monkeypatch) == pytest.approx([0] * 7)


def test_where_nothing_is_remembered_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert came("none", monkeypatch) == [None] * 7


def test_a_good_attempt_does_not_tell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all("name_at" not in s.detail for s in samples("ttl", monkeypatch, good=True))
