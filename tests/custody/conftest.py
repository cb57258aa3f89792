"""One account for all tests of custody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from custody_stores import calls_to, make_stores
from moto_account import moto_account

from chaos.custody.store import Calls


@pytest.fixture(scope="session")
def account() -> Iterator[str]:
    """Its endpoint, with a bucket and a table for custody in it."""
    with moto_account() as endpoint, calls_to(endpoint) as call:
        asyncio.run(make_stores(call))
        yield endpoint


@pytest.fixture
def call(account: str) -> Iterator[Calls]:
    with calls_to(account) as call:
        yield call
