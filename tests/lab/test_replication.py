"""Writes reach the other regions after the lag, whatever happens in between; in virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from fake_dynamodb import EAST, EU, WEST, FakeDynamoDB

from chaos.errors import CallFailed
from chaos.lab.replication import MAX_TRIES, QUIET_WITHIN_S
from chaos.loops import run_virtual
from chaos.proxies.request import ApiRequest


def run(test: Callable[[FakeDynamoDB], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        fake = FakeDynamoDB()
        async with asyncio.timeout(3600):
            await fake.replication.start()
            await test(fake)
            await fake.replication.stop()

    run_virtual(bounded())


def test_a_write_arrives_after_the_lag_and_not_before() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.put(EAST, "a", "1")
        await asyncio.sleep(0.999)
        assert fake.values(WEST) == fake.values(EU) == {}
        assert [fake.replication.pending(region) for region in (EAST, WEST, EU)] == [2, 1, 1]
        await asyncio.sleep(0.002)
        assert fake.values(WEST) == fake.values(EU) == {"a": "1"}
        assert fake.replication.pending(EAST) == 0

    run(test)


def test_a_deletion_arrives_too() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.put(EAST, "a", "1")
        await asyncio.sleep(2)
        fake.delete(WEST, "a")
        await asyncio.sleep(2)
        assert fake.values(EAST) == fake.values(EU) == {}

    run(test)


def test_what_is_written_meanwhile_goes_along() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        for number in range(100):  # a key that is never at rest
            fake.put(EAST, "a", str(number))
            await asyncio.sleep(0.1)
            if number > 20:
                assert int(fake.values(WEST)["a"]) > number - 12
        await asyncio.sleep(1)
        assert fake.values(WEST) == {"a": "99"}
        assert len(fake.calls) < 50

    run(test)


def test_the_last_writer_wins() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.put(EAST, "a", "older")
        await asyncio.sleep(0.5)
        fake.put(WEST, "a", "newer")
        await asyncio.sleep(3)
        assert fake.values(EAST) == fake.values(WEST) == fake.values(EU) == {"a": "newer"}

    run(test)


def test_a_newer_write_is_not_overwritten_by_a_copy_that_is_being_made() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.seconds = 0.2
        fake.put(EAST, "a", "older")
        await asyncio.sleep(1.1)  # it is being read
        fake.put(WEST, "a", "newer")
        await asyncio.sleep(5)
        assert fake.values(EAST) == fake.values(WEST) == fake.values(EU) == {"a": "newer"}

    run(test)


def test_a_paused_region_neither_gives_nor_takes() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.put(EAST, "lost", "1")
        fake.put(EU, "b", "1")
        await asyncio.sleep(0.5)
        await fake.replication.pause(EAST)
        await asyncio.sleep(100)
        assert fake.values(WEST) == {"b": "1"}
        assert "b" not in fake.values(EAST)
        fake.put(WEST, "c", "1")
        await asyncio.sleep(100)
        assert fake.values(EU) == {"b": "1", "c": "1"}
        assert fake.replication.pending(EAST) == 4  # lost to two, b and c from two
        assert [fake.replication.state(region) for region in (EAST, WEST)] == ["off", "on"]

    run(test)


def test_a_resumed_region_catches_up_at_once() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.put(EAST, "a", "1")
        fake.put(EAST, "both", "older")
        await fake.replication.pause(EAST)
        await fake.replication.pause(EAST)  # idempotent
        await asyncio.sleep(50)
        fake.put(WEST, "both", "newer")
        await asyncio.sleep(50)
        fake.replication.resume(EAST)
        fake.replication.resume(EAST)
        await asyncio.sleep(0.01)
        everything = {"a": "1", "both": "newer"}
        assert [fake.values(region) for region in (EAST, WEST, EU)] == [everything] * 3
        assert fake.replication.pending(EAST) == 0
        assert fake.replication.state(EAST) == "on"

    run(test)


def test_a_pause_waits_for_the_copies_under_way_and_begins_no_others() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.seconds = 0.5
        fake.put(EAST, "a", "1")
        await asyncio.sleep(1.1)
        fake.put(EAST, "b", "1")
        await fake.replication.pause(EAST)
        assert asyncio.get_running_loop().time() == pytest.approx(2.0)
        assert fake.values(WEST) == {"a": "1"}
        await asyncio.sleep(100)
        assert fake.values(WEST) == {"a": "1"}

    run(test)


def test_a_pause_does_not_wait_for_the_copies_of_others() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.seconds = 0.5
        await fake.replication.pause(EU)
        fake.put(EAST, "a", "1")
        await asyncio.sleep(1.1)
        assert len(fake.calls) == 1
        await fake.replication.pause(EU)
        assert asyncio.get_running_loop().time() == pytest.approx(1.1)

    run(test)


def test_a_pause_that_cannot_be_had_says_so_and_stays() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.seconds = 10 * QUIET_WITHIN_S
        fake.put(EAST, "a", "1")
        await asyncio.sleep(1.1)
        with pytest.raises(CallFailed, match="still under way"):
            await fake.replication.pause(EAST)
        assert fake.replication.state(EAST) == "off"

    run(test)


def test_a_copy_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.fail = lambda region: region == WEST
        fake.put(EAST, "a", "1")
        await asyncio.sleep(2)
        assert fake.values(EU) == {"a": "1"}, "one region's trouble is not the other's"
        assert fake.replication.pending(WEST) == 1
        fake.fail = lambda _region: False
        await asyncio.sleep(10)
        assert fake.values(WEST) == {"a": "1"}

    run(test)
    assert "1 copies of history from us-east-1 to us-west-2 failed: " in caplog.text


def test_a_copy_that_always_fails_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.fail = lambda region: region == WEST
        fake.put(EAST, "a", "1")
        await asyncio.sleep(1000)
        writes = [c for c in fake.calls if c[1:3] == (WEST, "batch_write_item")]
        assert len(writes) == MAX_TRIES
        assert fake.replication.pending(EAST) == 0

    run(test)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in errors] == [
        "the copy of history from us-east-1 to us-west-2 of {'id': {'S': 'a'}} is given up"
    ]


@pytest.mark.parametrize("turn", [0, 1], ids=["read", "written"])
def test_what_a_batch_leaves_is_tried_again(turn: int) -> None:
    async def test(fake: FakeDynamoDB) -> None:
        await fake.replication.pause(EU)
        for number in range(10):
            fake.put(EAST, str(number), "1")
        await asyncio.sleep(0.9)
        fake.seconds = 1.0
        await asyncio.sleep(0.5 + turn)
        fake.unprocessed = 3
        await asyncio.sleep(10)
        assert len(fake.values(WEST)) == 10

    run(test)


def test_a_write_during_its_copy_is_copied_in_its_turn() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.seconds = 0.5
        fake.put(EAST, "a", "1")
        await asyncio.sleep(1.7)  # it has been read, and is being written
        fake.put(EAST, "a", "2")
        await asyncio.sleep(0.5)
        assert fake.values(WEST) == {"a": "1"}
        await asyncio.sleep(3)
        assert fake.values(WEST) == {"a": "2"}

    run(test)


def test_many_are_copied_in_batches() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        for number in range(1000):
            fake.put(EAST, str(number), "1")
        await asyncio.sleep(1.1)
        assert len(fake.values(WEST)) == len(fake.values(EU)) == 1000
        assert len(fake.calls) == 2 * 2 * 1000 / 25

    run(test)


def test_what_is_not_ours_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def test(fake: FakeDynamoDB) -> None:
        item = {"id": {"S": "a"}}
        fake.tell(EAST, "PutItem", {"TableName": "other", "Item": item})
        fake.tell(EAST, "PutItem", {"TableName": "history", "Item": item}, status=400)
        fake.tell(EAST, "GetItem", {"TableName": "history", "Key": item})
        fake.tell("sa-east-1", "PutItem", {"TableName": "history", "Item": item})
        fake.tell(None, "PutItem", {"TableName": "history", "Item": item})
        fake.replication.seen(ApiRequest(region=EAST, service="s3"), b"", 200)
        assert fake.replication.pending(EAST) == 0
        assert caplog.text == ""
        fake.tell(EAST, "PutItem", "what is this")
        assert "a write in us-east-1 will not be replicated: this is no PutItem" in caplog.text

    run(test)


def test_stopping_leaves_what_is_pending() -> None:
    async def test(fake: FakeDynamoDB) -> None:
        fake.put(EAST, "a", "1")
        await fake.replication.stop()
        await asyncio.sleep(5)
        assert fake.values(WEST) == {}
        assert fake.replication.pending(WEST) == 1

    run(test)
