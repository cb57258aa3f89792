"""Levers of an account find their way although its reads tell what was before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from campaigns.account import Account
from contract.account_cases import cases
from moto_account import moto_account
from moto_place import moto_place
from stale_place import Stale
from tenacity import wait_none

from chaos.errors import CallFailed
from chaos.levers import settled
from chaos.levers.autoscaling import AutoscalingProcess
from chaos.testing import Recording


def test_each_goes_there_and_back_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "WAIT", wait_none())

    async def check(endpoint: str, account: Account) -> None:
        with moto_place(endpoint) as place:
            there = await cases(place, account)
            before = account.dump()
            for lever, value in there:
                stale: Any = Stale(place, lag=3)
                prior = await lever.read(stale)
                await lever.set(stale, value)
                assert await lever.read(place) == value
                await lever.set(stale, prior)
                # What a stale read has hidden from it, the next look tells: a rollback goes on
                # looking for as long as reads may be stale.
                await lever.set(place, prior)
                assert await lever.read(place) == prior
            assert account.dump() == before

    with moto_account() as endpoint:
        account = Account(endpoint)
        account.seed()
        asyncio.run(check(endpoint, account))


def test_what_never_settles_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "WAIT", wait_none())

    class Deaf:
        """It takes every change and remembers none."""

        async def call(self, *_: Any, **__: Any) -> dict[str, Any]:
            return {"AutoScalingGroups": [{"SuspendedProcesses": []}]}

    deaf: Any = Recording(Deaf())  # type: ignore[arg-type]
    lever = AutoscalingProcess(region="us-east-1", group="playback", process="Launch")
    with pytest.raises(CallFailed, match="still reads 'running' instead of 'suspended'"):
        asyncio.run(lever.set(deaf, "suspended"))
    assert len(deaf.changes) == settled.ATTEMPTS
