"""One drill at a time in an account, and never one among the levers that another has left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from custody_stores import URLS, MemoryStore, Shared

from chaos.custody import lock, taking
from chaos.custody.lease import TTL_S, Lease, Owner
from chaos.custody.opening import open_store
from chaos.custody.store import Calls
from chaos.custody.taking import Taken
from chaos.custody.undo_log import document
from chaos.errors import InvalidInput, JournalFailed
from chaos.loops import run_virtual

OWNER = Owner("host", 1, "arn")
ONE, TWO = "111111111111", "222222222222"
AT_ONCE = 20


@pytest.fixture(autouse=True)
def wall(monkeypatch: pytest.MonkeyPatch) -> None:
    def now() -> datetime:
        passed = timedelta(seconds=asyncio.get_running_loop().time())
        return datetime(2030, 1, 1, tzinfo=UTC) + passed

    monkeypatch.setattr("chaos.custody.clock.utc_now", now)


async def a_run(store: MemoryStore, run: str, *, opened: bool = False) -> None:
    """One that holds the account ONE, and may have a lever open."""
    await Lease(store, run, OWNER).begin()
    await lock.take(store, ONE, run, OWNER)
    if opened:
        header = {"n": 0, "t": 0, "event": "run", "v": 1, "run": run, "environment": {}}
        header["experiment"] = {"name": "x", "probes": {}, "faults": []}
        fields = {"pull": 0, "fault": 0, "lever": {"kind": "x"}, "prior": 1, "value": 2}
        pull = {"n": 1, "t": 1, "event": "pull", **fields}
        for number, event in enumerate([header, pull]):
            await store.write(document(run, number), json.dumps(event))


@pytest.mark.parametrize("kind", sorted(URLS))
def test_one_of_many_drills_has_the_account(
    kind: str, call: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # real time, for a real store

    async def race() -> list[str]:
        store = open_store(URLS[kind], call)

        async def drill(n: int) -> str | None:
            await Lease(store, f"race-{n}", OWNER).begin()
            try:
                await lock.take(store, ONE, f"race-{n}", OWNER)
            except InvalidInput:
                return None
            return f"race-{n}"

        won = [run for run in await asyncio.gather(*map(drill, range(AT_ONCE))) if run]
        held = await lock.holder(store, ONE)
        assert held is not None
        assert [held.lock.run] == won
        for n in range(AT_ONCE):
            await taking.finish(store, f"race-{n}")
        assert await store.keys("runs/") == []
        free = await lock.holder(store, ONE)
        assert free is not None
        assert free.free
        return won

    assert len(asyncio.run(race())) == 1


def test_a_run_at_work_keeps_its_account() -> None:
    async def main() -> None:
        store = MemoryStore()
        await a_run(store, "first")
        with pytest.raises(InvalidInput, match=r"which is still at work .* stop it, or wait"):
            await lock.take(store, ONE, "second", OWNER)
        await lock.take(store, TWO, "second", OWNER)

    run_virtual(main())


def test_a_dead_run_with_nothing_open_gives_its_account_away() -> None:
    async def main() -> None:
        store = MemoryStore()
        await a_run(store, "first")
        await asyncio.sleep(TTL_S * 2)
        await lock.take(store, ONE, "second", OWNER)
        assert await lock.held_by(store, ONE, "second")
        await lock.release(store, "first")
        assert await lock.held_by(store, ONE, "second")  # never another's

    run_virtual(main())


def test_a_dead_run_with_a_lever_open_does_not() -> None:
    async def main() -> None:
        store = MemoryStore()
        await a_run(store, "first", opened=True)
        await asyncio.sleep(TTL_S * 1000)
        with pytest.raises(InvalidInput, match="chaos rollback --orphans --undo-log 'memory:'"):
            await lock.take(store, ONE, "second", OWNER)
        with pytest.raises(InvalidInput, match="has left levers open"):
            await lock.take(store, ONE, "second", OWNER, breaking="another")
        await lock.take(store, ONE, "second", OWNER, breaking="first")
        assert await lock.held_by(store, ONE, "second")

    run_virtual(main())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"account": "1"}'])
def test_a_lock_that_cannot_be_read_is_not_free(text: str) -> None:
    async def main() -> None:
        store = MemoryStore()
        await store.write(f"locks/{ONE}", text)
        with pytest.raises(JournalFailed, match="not a lock of ours"):
            await lock.take(store, ONE, "second", OWNER)

    run_virtual(main())


@contextmanager
def memory(monkeypatch: pytest.MonkeyPatch, store: MemoryStore) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(taking, "open_store", lambda *_: store)
        yield


def taken(run: str, accounts: list[str], lost: list[str], **more: Any) -> Any:
    return taking.take(
        "memory:", never, run=run, accounts=accounts, who="arn", lost=lost.append, **more
    )


async def never(*_: object, **__: object) -> dict[str, Any]:
    raise AssertionError("the store is in memory")


def test_a_drill_that_gets_one_account_of_two_leaves_none_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        store, lost = MemoryStore(), list[str]()
        with memory(monkeypatch, store):
            async with taken("first", [TWO], lost):
                with pytest.raises(InvalidInput, match=f"{TWO} is locked by the run first"):
                    async with taken("second", [TWO, ONE], lost):
                        raise AssertionError("it has both")
                assert [await lock.held_by(store, a, "second") for a in (ONE, TWO)] == [False] * 2
                assert not await store.keys("runs/second/")
        assert not await store.keys("runs/")

    run_virtual(main())


def test_a_drill_whose_lock_is_broken_is_told_and_leaves_the_other_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        store, lost, calm = MemoryStore(), list[str](), list[str]()
        with memory(monkeypatch, store):
            async with taken("first", [ONE], lost):
                async with taken("second", [ONE], calm, breaking="first"):
                    await asyncio.sleep(TTL_S)
                    assert lost == [f"the lock of this run on the account {ONE} was broken"]
                assert not calm
                async with taken("third", [ONE], calm):
                    pass

    run_virtual(main())


def test_a_broken_lock_is_free_at_once() -> None:
    async def main() -> None:
        shared = Shared()
        store = MemoryStore(shared)
        await a_run(store, "first", opened=True)
        held = await lock.holder(store, ONE)
        assert held is not None
        assert held.alive
        assert await lock.break_lock(store, held)
        assert not await lock.break_lock(store, held)  # it has changed hands
        await lock.take(store, ONE, "second", OWNER)

    run_virtual(main())


def test_a_dead_mans_time_is_known_only_where_somebody_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from chaos.custody.clock import SKEW_S
    from chaos.custody.wardens import Warden

    async def main() -> list[float | None]:
        store, told = MemoryStore(), list[float | None]()

        async def ask() -> None:
            async with taken("r", [ONE], []) as held:
                assert isinstance(held, Taken)
                told.append(held.dead_man_s)

        with memory(monkeypatch, store):
            await ask()
            warden = Warden(store, OWNER, 15)
            async with warden.at_work():
                await warden.tell()
                await warden.tell()
                await ask()
                await asyncio.sleep(200)  # it does not tell any more
                await ask()
            await ask()
        assert told[1] == TTL_S + SKEW_S + 15
        return told

    first, _, *rest = run_virtual(main())
    assert first is None
    assert rest == [None, None]
