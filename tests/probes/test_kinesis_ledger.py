"""Records of a stream: all shards are read to their ends, and in order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.loops import run_at, run_virtual
from probes.kinesis_ledger import KinesisLedger
from probes.net import Net
from probes.probe import Attempt, ProbeFailed

EAST = "us-east-1"
NUMBERS = itertools.count()


def ledger(stream: str = "clicks", **fields: Any) -> KinesisLedger:
    given = {"kind": "kinesis_ledger", "stream": stream, "region": EAST}
    return KinesisLedger.model_validate(given | fields)


def attempt(n: int = 0, run: str = "run1", probe: str = "clicks") -> Attempt:
    return Attempt(run=run, probe=probe, n=n)


# --- against a server -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calls() -> Iterator[AwsCalls]:
    with moto_server() as (host, port):
        calls = AwsCalls(f"http://{host}:{port}", key=("lab", "lab"), timeout_s=30)
        yield calls
        calls.close()


def play(calls: AwsCalls, scene: Callable[[Net, str], Awaitable[None]], shards: int = 2) -> None:
    """A scene with a stream that nobody else uses."""

    async def main() -> None:
        stream = f"clicks-{next(NUMBERS)}"
        await calls.call("kinesis", EAST, "create_stream", StreamName=stream, ShardCount=shards)
        await scene(Net(aws=calls.call), stream)

    run_at(1, main())


def test_what_was_put_comes_out_in_order(calls: AwsCalls) -> None:
    async def scene(net: Net, stream: str) -> None:
        probe = ledger(stream)
        for n in (0, 3, 11, 2):
            put = attempt(n)
            await probe.check(net, put)
            assert put.detail["write"] == "acknowledged"
            assert put.detail["shard"].startswith("shardId-")
            assert put.detail["sequence"].isdigit()
        await probe.check(net, attempt(5, run="run2"))
        await probe.check(net, attempt(6, probe="other"))
        for data in (b"not JSON", b"[1]", b'{"ledger": "run1"}'):
            await net.aws(
                "kinesis", EAST, "put_record", StreamName=stream, Data=data, PartitionKey="x"
            )
        assert await probe.read(net, attempt()) == [0, 3, 11, 2]
        assert await ledger(stream).read(net, attempt(run="run3")) == []

    play(calls, scene)


def test_what_was_copied_elsewhere_is_read_there(calls: AwsCalls) -> None:
    async def scene(net: Net, stream: str) -> None:
        await net.aws("kinesis", "us-west-2", "create_stream", StreamName="copy", ShardCount=1)
        probe = ledger(stream, read_stream="copy", read_region="us-west-2")
        for n in range(3):
            await probe.check(net, attempt(n))
        sent = {"ledger": "run1/clicks", "written": probe._sent["run1/clicks"][1]}
        for record in (sent | {"number": 1}, sent | {"number": 2}, sent | {"number": 1}):
            data = json.dumps(record).encode()
            put = {"StreamName": "copy", "Data": data, "PartitionKey": "any"}
            await net.aws("kinesis", "us-west-2", "put_record", **put)
        read = attempt()
        assert await probe.read(net, read) == [1, 1]
        assert read.detail["conflicting"] == [2]  # with the time of another one

    play(calls, scene)


def test_a_resharded_stream_is_read_whole(calls: AwsCalls) -> None:
    async def scene(net: Net, stream: str) -> None:
        probe = ledger(stream)
        for n in range(6):
            if n == 3:
                target = {"TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING"}
                await net.aws("kinesis", EAST, "update_shard_count", StreamName=stream, **target)
            await probe.check(net, attempt(n))
        assert sorted({*await probe.read(net, attempt())}) == [0, 1, 2, 3, 4, 5]

    play(calls, scene, shards=1)


def test_a_stream_that_is_not_there_is_bad_and_cannot_be_read(calls: AwsCalls) -> None:
    async def main() -> None:
        net, probe = Net(aws=calls.call), ledger("nowhere")
        with pytest.raises(ProbeFailed, match="nowhere"):
            await probe.check(net, attempt())
        with pytest.raises(ProbeFailed, match="nowhere"):
            await probe.read(net, attempt())

    run_at(1, main())


# --- against a script -------------------------------------------------------------------------


class Streams:
    """Shards as pages of (numbers, milliseconds behind); one that ends with None is closed."""

    def __init__(self, shards: dict[str, list[tuple[list[int], int | None]]]) -> None:
        self.shards = shards
        self.parents: dict[str, tuple[str, ...]] = {}
        self.listed: list[list[str]] = []  # what ListShards tells, one time after the other
        self.looks = 0

    async def __call__(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self, operation)(**params)
        return answer

    def put_record(self, **_: Any) -> dict[str, Any]:
        return {"ShardId": "shardId-0"}

    def list_shards(self, **params: Any) -> dict[str, Any]:
        names = self.listed.pop(0) if len(self.listed) > 1 else (self.listed or [[*self.shards]])[0]
        if "NextToken" in params:
            return {"Shards": [self._shard(name) for name in names[1:]]}
        return {"Shards": [self._shard(names[0])], **({"NextToken": "t"} if names[1:] else {})}

    def _shard(self, name: str) -> dict[str, Any]:
        keys = ("ParentShardId", "AdjacentParentShardId")
        return {"ShardId": name, **dict(zip(keys, self.parents.get(name, ()), strict=False))}

    def get_shard_iterator(self, **params: Any) -> dict[str, Any]:
        assert params["ShardIteratorType"] == "AT_TIMESTAMP"
        return {"ShardIterator": f"{params['ShardId']}|0"}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803  # the API's
        self.looks += 1
        shard, _, at = ShardIterator.partition("|")
        pages = self.shards[shard]
        numbers, behind = pages[min(int(at), len(pages) - 1)]
        records = [{"ledger": "run1/clicks", "number": n, "written": 0.5} for n in numbers]
        following = None if behind is None else f"{shard}|{int(at) + 1}"
        return {
            "Records": [{"Data": json.dumps(record).encode()} for record in records],
            "MillisBehindLatest": behind or 0,
            "NextShardIterator": following,
        }


def read(streams: Streams, **fields: Any) -> list[int]:
    return run_virtual(ledger(**fields).read(Net(aws=streams), attempt()))


def test_a_shard_is_read_until_it_is_caught_up_with_over_empty_pages() -> None:
    streams = Streams({"a": [([1], 900), ([], 900), ([], 400), ([2], 0), ([9], 0)]})
    assert read(streams) == [1, 2]
    assert streams.looks == 4


def test_parents_come_before_their_children_whatever_their_names() -> None:
    streams = Streams(
        {"a": [([5], 0)], "b": [([1], 7), ([2], None)], "c": [([3], None)], "d": [([4], 0)]}
    )
    streams.parents = {"a": ("d",), "d": ("b", "c"), "b": ("gone",)}
    found = read(streams)
    assert (found[-2:], sorted(found)) == ([4, 5], [1, 2, 3, 4, 5])
    assert found.index(1) < found.index(2)


def test_shards_that_a_resharding_makes_meanwhile_are_read_too() -> None:
    streams = Streams({"a": [([1], None)], "b": [([2], 0)]})
    streams.parents = {"b": ("a",)}
    streams.listed = [["a"], ["a", "b"]]
    assert read(streams) == [1, 2]


def test_a_shard_that_is_never_caught_up_with_was_not_read() -> None:
    streams = Streams({"a": [([1], 0)], "b": [([2], 1500)]})
    with pytest.raises(ProbeFailed, match="not read to its end: 1500 ms behind in b"):
        read(streams, timeout="10s")


def test_an_answer_without_a_sequence_number_acknowledges_nothing() -> None:
    async def main() -> None:
        put = attempt()
        with pytest.raises(ProbeFailed, match="without a sequence number"):
            await ledger().check(Net(aws=Streams({})), put)
        assert put.detail == {"write": "unknown"}

    run_virtual(main())


def test_what_it_calls_is_said() -> None:
    probe = ledger(read_stream="copy", read_region="us-west-2")
    assert [(call.region, call.operation, call.resource[-6:]) for call in probe.calls()] == [
        (EAST, "put_record", "clicks"),
        ("us-west-2", "list_shards", "m/copy"),
        ("us-west-2", "get_shard_iterator", "m/copy"),
        ("us-west-2", "get_records", "m/copy"),
    ]


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 129])
def test_a_stream_has_a_possible_name(name: str) -> None:
    with pytest.raises(ValidationError):
        ledger(name)
