"""A lease: renewed as long as its owner can, lost for good when it could not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from custody_stores import MemoryStore, Shared

from chaos.custody import lease as leases
from chaos.custody.clock import SKEW_S, Clock
from chaos.custody.lease import TTL_S, Lease, Owner
from chaos.custody.store import Document
from chaos.errors import InvalidInput, JournalFailed
from chaos.loops import run_virtual

OWNER = Owner("host", 1, "arn")
WALL = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def wall(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time of the wall goes with the loop's, unless a test moves it besides."""
    ahead = [WALL]

    def now() -> datetime:
        return ahead[0] + timedelta(seconds=asyncio.get_running_loop().time())

    monkeypatch.setattr("chaos.custody.clock.utc_now", now)
    return ahead


async def held(store: MemoryStore) -> leases.Held:
    document = await store.get(leases.key_of("r"))
    assert document is not None
    return leases.read(document)


def test_it_is_renewed_every_third_of_its_time_and_stays_alive() -> None:
    async def main() -> None:
        store, lost = MemoryStore(), list[str]()
        lease = Lease(store, "r", OWNER)
        await lease.begin()
        keeping = asyncio.create_task(lease.keep(lost.append))
        for _ in range(20):
            await asyncio.sleep(TTL_S / 2)
            assert lease.valid
            assert (await held(store)).alive(store.clock.now())
        await asyncio.sleep(1)
        keeping.cancel()
        assert store.shared.writes == 1 + 10 * TTL_S / (TTL_S / 3)
        assert not lost

    run_virtual(main())


def test_a_runner_that_cannot_renew_is_told_when_others_may_not_yet_take_over() -> None:
    async def main() -> None:
        store, lost = MemoryStore(), list[tuple[float, str]]()
        lease = Lease(store, "r", OWNER)
        await lease.begin()
        loop = asyncio.get_running_loop()
        store.fails_at = set(range(store.calls + 1, 1000))
        keeping = asyncio.create_task(lease.keep(lambda why: lost.append((loop.time(), why))))
        await asyncio.sleep(TTL_S * 5)
        store.fails_at = set()
        await asyncio.sleep(TTL_S)
        keeping.cancel()
        [(when, why)] = lost
        assert "lost its lease" in why
        assert "as the test wants it" in why
        assert when == TTL_S < TTL_S + SKEW_S
        assert not lease.valid  # it may break nothing more, though it holds the lease again
        assert (await held(store)).alive(store.clock.now())

    run_virtual(main())


@pytest.mark.parametrize("jump", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_a_clock_that_jumps_never_makes_a_lease_longer(
    jump: timedelta, wall: list[datetime]
) -> None:
    async def main() -> None:
        lease = Lease(MemoryStore(), "r", OWNER)
        await lease.begin()
        wall[0] += jump
        await asyncio.sleep(TTL_S / 2)
        assert lease.valid == (jump < timedelta(0))
        await asyncio.sleep(TTL_S / 2)
        assert not lease.valid

    run_virtual(main())


def test_who_was_taken_over_finds_out_at_the_next_renewal() -> None:
    async def main() -> None:
        shared, lost = Shared(), list[str]()
        mine, theirs = MemoryStore(shared), MemoryStore(shared)
        lease = Lease(mine, "r", OWNER)
        await lease.begin()
        keeping = asyncio.create_task(lease.keep(lost.append))
        document = await theirs.get(leases.key_of("r"))
        other = Lease(theirs, "r", Owner("other", 2, "arn"))
        await other.take_over(document)
        with pytest.raises(InvalidInput, match="just taken over"):
            await Lease(theirs, "r", Owner("third", 3, "arn")).take_over(document)
        await asyncio.sleep(TTL_S)
        keeping.cancel()
        assert len(lost) == 1
        assert "another process has taken the run over" in lost[0]
        await lease.leave()
        assert not (await held(theirs)).left
        assert (await held(theirs)).owner.host == "other"

    run_virtual(main())


def test_an_answer_that_was_lost_does_not_lose_the_lease() -> None:
    async def main() -> None:
        store, lost = MemoryStore(), list[str]()
        lease = Lease(store, "r", OWNER)
        await lease.begin()
        store.answer_lost = True
        store.fails_at = {store.calls + 2}  # the write of the first renewal
        keeping = asyncio.create_task(lease.keep(lost.append))
        await asyncio.sleep(TTL_S * 2)
        keeping.cancel()
        assert not lost
        assert lease.valid

    run_virtual(main())


def test_one_that_was_left_is_dead_at_once_and_one_that_ran_out_a_little_later() -> None:
    async def main() -> None:
        store = MemoryStore()
        lease = Lease(store, "r", OWNER)
        await lease.begin()
        ran_out = await held(store)
        assert ran_out.alive(ran_out.until + timedelta(seconds=SKEW_S - 1))
        assert not ran_out.alive(ran_out.until + timedelta(seconds=SKEW_S))
        await lease.leave()
        assert not (await held(store)).alive(store.clock.now())

    run_virtual(main())


def test_a_run_of_the_same_name_is_refused() -> None:
    async def main() -> None:
        store = MemoryStore()
        await Lease(store, "r", OWNER).begin()
        with pytest.raises(InvalidInput, match="there is a run r"):
            await Lease(store, "r", Owner("other", 1, "arn")).begin()

    run_virtual(main())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"run": "r"}', "null"])
def test_what_is_no_lease_is_told(text: str) -> None:
    with pytest.raises(JournalFailed, match="not a lease of ours"):
        leases.read(Document(text, "1"))


@pytest.mark.parametrize(
    ("told", "ahead"),
    [
        ("Tue, 01 Jan 2030 01:00:00 GMT", timedelta(hours=1)),
        ("Mon, 31 Dec 2029 23:59:00 GMT", timedelta(minutes=-1)),
        ("yesterday", timedelta(0)),
        (None, timedelta(0)),
    ],
)
def test_the_time_is_the_stores_where_it_tells_one(told: str | None, ahead: timedelta) -> None:
    async def main() -> None:
        clock = Clock()
        headers: dict[str, Any] = {} if told is None else {"date": told}
        clock.saw({"ResponseMetadata": {"HTTPHeaders": headers}})
        assert clock.now() == WALL + ahead

    run_virtual(main())
