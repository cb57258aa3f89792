"""What is not permitted when its moment comes is neither written down nor set."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chaos.errors import InjectionFailed
from chaos.injection import Puller
from chaos.journal import Journal, read
from chaos.levers import Lever
from chaos.levers.lab import Reachability
from chaos.loops import Stopwatch
from chaos.testing import FakeEnvironment, small_lab


def test_it_is_asked_before_anything_is_done(tmp_path: Path) -> None:
    lab = FakeEnvironment(small_lab())
    asked: list[tuple[int, str | None, str]] = []

    async def permit(fault: int, account: str | None, lever: Lever) -> None:
        asked.append((fault, account, lever.kind))
        if fault:
            raise InjectionFailed("not pulled any more: protected tags: …")

    async def go() -> None:
        path = tmp_path / "journal.jsonl"
        journal = Journal.create(path, Stopwatch())
        puller = Puller(lab, journal, permit=permit)
        await puller.of_fault(0)(Reachability(scope="us-east-1"), "refuse")
        with pytest.raises(InjectionFailed, match="not pulled any more"):
            await puller.of_fault(1, "prod")(Reachability(scope="us-west-2"), "refuse")
        journal.close()
        assert [event["event"] for event in read(path)] == ["pull", "call", "pulled"]

    asyncio.run(go())
    assert asked == [(0, None, "reachability"), (1, "prod", "reachability")]
    assert lab.state == {**small_lab(), "reachability": {"us-east-1": "refuse"}}
    assert not any("us-west-2" in str(params) for _, params in lab.calls)
