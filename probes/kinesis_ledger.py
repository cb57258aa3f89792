"""The probe `kinesis_ledger`: numbered records put into a stream, and which of them it hands out.

    probe ──► stream ──► (what copies it elsewhere) ──► read_stream ──► probe

All shards are read, those too that a resharding has closed, each until it is caught up with.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, StringConstraints

from probes.aws_api import NO_NAMES, ApiCall, Region
from probes.durations import Duration
from probes.probe import CONFLICTING, Attempt, Probe, ProbeFailed

if TYPE_CHECKING:
    from probes.net import Net

Stream = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
Shards = dict[str, list[str]]  # the parents of each, by id
# AWS refuses calls of a machine whose clock is off by more (Signature Version 4).
SKEW = timedelta(minutes=5)
# The share of the timeout after which a read says itself what it is still waiting for.
PATIENCE = 0.8
PAUSE_S = 0.2  # of the loop; GetRecords may be called five times a second for a shard
MAX_PAGES = 200  # of ListShards, with 1000 shards each


class KinesisLedger(Probe):
    """Puts numbered records into a stream, and finds out which of them it hands out.

    Each attempt puts one record and is good when the service acknowledges it with a shard and a
    sequence number. While the fault is on, and at the end, all shards of `read_stream` are read
    from the run's beginning on, closed ones too, until the service says that nothing is left
    (MillisBehindLatest 0, or the end of a closed shard). Acknowledged records that are missing give
    the RPO; 0 s says that none may be lost. A record that was refused or timed out may have been
    put all the same: it counts neither as kept nor as lost.

    A record is JSON, {"ledger": "RUN/PROBE", "number": NUMBER, "written": SECONDS}, and has to be
    copied as it is; one with another `written` was changed, and did not survive. All have the
    partition key RUN/PROBE, so they keep their order, also over a resharding (`in_order`). What
    copies them elsewhere should keep the key. The same number twice counts as duplicated.

    To read takes two calls or more for each shard, one after the other: raise the timeout for
    streams of many shards. Other consumers share the shards' limits. A read that does not come to
    the end in time has failed, which proves nothing.

    Measured phases: `write` and `read`.
    """

    summary: ClassVar[str] = "numbered records put into Kinesis, and which come out again (RPO)"
    example: ClassVar[str] = """
clicks:
  kind: kinesis_ledger
  stream: clicks
  region: us-east-1
"""
    ledger: ClassVar[bool] = True
    ordered: ClassVar[bool] = True
    repeats: ClassVar[bool] = True
    without: ClassVar[Mapping[str, str]] = NO_NAMES

    kind: Literal["kinesis_ledger"]
    every: Duration = Field(default=0.5, ge=0.001, description="period of the grid")
    timeout: Duration = Field(
        default=10.0, gt=0, description="when an attempt, or one read of all shards, is given up"
    )
    stream: Stream = Field(description="name of the stream that is written to")
    region: Region = Field(description="the region of that stream")
    read_stream: Stream | None = Field(
        default=None, description="name of the stream that is read, such as a copy; default: stream"
    )
    read_region: Region | None = Field(
        default=None, description="the region of the stream that is read; default: region"
    )

    _began: dict[str, datetime] = PrivateAttr(default_factory=dict)
    _sent: dict[str, dict[int, float]] = PrivateAttr(default_factory=dict)

    def calls(self) -> tuple[ApiCall, ...]:
        wrote = _call(self.region, self.stream, "put_record")
        looks = ("list_shards", "get_shard_iterator", "get_records")
        return (wrote, *(_call(self._read_region, self._read_stream, name) for name in looks))

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Put the record with this attempt's number, once; good when it is acknowledged."""
        attempt.detail["write"] = "unknown"
        series = _series(attempt)
        written = round(asyncio.get_running_loop().time(), 6)
        self._began.setdefault(series, datetime.now(UTC))
        self._sent.setdefault(series, {})[attempt.n] = written
        record = {"ledger": series, "number": attempt.n, "written": written}
        with attempt.phase("write"):
            answer = await net.aws(
                "kinesis",
                self.region,
                "put_record",
                StreamName=self.stream,
                Data=json.dumps(record).encode(),
                PartitionKey=series,
            )
        if not answer.get("SequenceNumber"):
            raise ProbeFailed("the service answered without a sequence number")
        attempt.detail |= {"shard": answer["ShardId"], "sequence": answer["SequenceNumber"]}
        attempt.detail["write"] = "acknowledged"

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        """The numbers that the shards hand out, in their order, parents before children.

        Raises ProbeFailed when it cannot read all of them: half a list would call the rest lost.
        """
        deadline = asyncio.get_running_loop().time() + PATIENCE * self.timeout
        series, by_shard, shards = _series(attempt), dict[str, list[int]](), Shards()
        changed: set[int] = set()
        with attempt.phase("read"):
            # Until no resharding has made new ones meanwhile.
            while unread := (shards := await self._shards(net)).keys() - by_shard.keys():
                for shard in sorted(unread):
                    numbers = self._drained(net, shard, series, changed, deadline)
                    by_shard[shard] = [number async for number in numbers]
        attempt.detail[CONFLICTING] = sorted(changed)
        in_order = TopologicalSorter(shards).static_order()
        return [n for shard in in_order for n in by_shard[shard] if n not in changed]

    async def _shards(self, net: Net) -> Shards:
        """All that there are, each with those of its parents that are still there."""
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {"StreamName": self._read_stream}
        for _ in range(MAX_PAGES):
            page = await net.aws("kinesis", self._read_region, "list_shards", **more)
            found += page["Shards"]
            if not page.get("NextToken"):
                known = {shard["ShardId"] for shard in found}
                return {shard["ShardId"]: [*_parents(shard, known)] for shard in found}
            more = {"NextToken": page["NextToken"]}
        raise ProbeFailed(
            f"the stream has more than {MAX_PAGES} pages of shards; not all were read"
        )

    async def _drained(
        self, net: Net, shard: str, series: str, changed: set[int], deadline: float
    ) -> AsyncIterator[int]:
        """The series' numbers in one shard; those of changed records go into `changed` as well."""
        iterator: str | None = await self._beginning(net, shard, series)
        while iterator is not None:
            page = await net.aws(
                "kinesis", self._read_region, "get_records", ShardIterator=iterator
            )
            for record in page["Records"]:
                if (told := _told(record["Data"], series)) is not None:
                    number, written = told
                    if self._sent.get(series, {}).get(number, written) != written:
                        changed.add(number)
                    yield number
            iterator = page.get("NextShardIterator")
            if iterator is None or page.get("MillisBehindLatest") == 0:
                return
            if asyncio.get_running_loop().time() > deadline:
                behind = f"{page.get('MillisBehindLatest')} ms behind in {shard}"
                raise ProbeFailed(f"the stream was not read to its end: {behind}")
            await asyncio.sleep(PAUSE_S)

    async def _beginning(self, net: Net, shard: str, series: str) -> str:
        began = self._began.get(series, datetime.now(UTC))
        answer = await net.aws(
            "kinesis",
            self._read_region,
            "get_shard_iterator",
            StreamName=self._read_stream,
            ShardId=shard,
            ShardIteratorType="AT_TIMESTAMP",
            Timestamp=began - SKEW,
        )
        return str(answer["ShardIterator"])

    @property
    def _read_stream(self) -> str:
        return self.read_stream or self.stream

    @property
    def _read_region(self) -> str:
        return self.read_region or self.region


def _call(region: str, stream: str, operation: str) -> ApiCall:
    arn = f"arn:aws:kinesis:{region}:*:stream/{stream}"
    return ApiCall(service="kinesis", region=region, operation=operation, resource=arn)


def _series(attempt: Attempt) -> str:
    return f"{attempt.run}/{attempt.probe}"


def _parents(shard: dict[str, Any], known: set[str]) -> list[str]:
    """Of a shard that was split from one, or merged from two; old ones are forgotten in time."""
    names = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return [name for name in names if name in known]


def _told(data: bytes, series: str) -> tuple[int, object] | None:
    """Number and time of writing of a record of the series; None for one of others."""
    try:
        told: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("ledger") != series:
        return None
    number = told.get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise ProbeFailed("the stream holds a record of this ledger without its number")
    return number, told.get("written")
