"""Every lever of an account keeps to what is asked of those, in moto, cut off at every call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from campaigns.account import Account
from contract.account_cases import ONE_WAY, PUT_BACK, Case, cases, one_way
from moto_account import moto_account
from moto_place import moto_place

from chaos.environments.environment import Environment
from chaos.testing import check_account_lever, check_nothing_idle
from chaos.testing.accounts import Snapshot


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_account() as endpoint:
        Account(endpoint).seed()
        yield endpoint


def test_levers_that_are_put_back(endpoint: str) -> None:
    account = Account(endpoint)

    async def snapshot() -> str:
        return account.dump()

    async def check() -> None:
        with moto_place(endpoint) as place:
            there = await cases(place, account)
            assert {lever.kind for lever, _ in there} == PUT_BACK
            await _check(place, there, snapshot)

    asyncio.run(check())


def test_levers_that_nothing_puts_back(endpoint: str) -> None:
    async def check() -> None:
        with moto_place(endpoint) as place:
            there = await one_way(place)
            assert {lever.kind for lever, _ in there} == ONE_WAY
            await _check(place, there)

    asyncio.run(check())


async def _check(place: Environment, cases: list[Case], snapshot: Snapshot | None = None) -> None:
    used: dict[Any, frozenset[str]] = {}
    for lever, value in cases:
        taken = await check_account_lever(lever, place, value, snapshot=snapshot)
        used[type(lever)] = used.get(type(lever), frozenset()) | taken
    for kind, of_kind in used.items():
        check_nothing_idle(kind.grants, of_kind)
