"""The probe `s3_ledger`: numbered objects in one bucket, and which of them another has.

An attempt is one PutObject. What is read afterwards is the listing: it is consistent, it leaves
out what is hidden by a delete marker, and its ETag tells whether the content is what was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from probes.aws_api import NO_NAMES, ApiCall, Region
from probes.durations import Duration
from probes.probe import CONFLICTING, Attempt, Probe, ProbeFailed

if TYPE_CHECKING:
    from probes.net import Net

Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Prefix = Annotated[str, StringConstraints(max_length=200)]
# Of 1000 objects each (the service's limit): days of a busy ledger.
MAX_PAGES = 200


class S3Ledger(Probe):
    """Writes numbered objects to one bucket, and asks another which of them it has.

    Each attempt puts one object and is good when the service acknowledges it. While the fault is
    on, and at the end, the objects of `read_bucket` are listed; acknowledged ones that are missing
    give the RPO. A write that was refused or timed out may have been done all the same: it counts
    neither as kept nor as lost.

    The key of an object is `prefix`RUN/PROBE/NUMBER, with twelve digits, so that the order is that
    of writing; its body is its own key below the prefix. An object counts only with that body: the
    listing's ETag tells, and where that is no MD5 of the body (a bucket encrypted with SSE-KMS) the
    object is read. One behind a delete marker is not there. Objects stay in both buckets; nothing
    is ever deleted.

    Measured phases: `write` and `read`.
    """

    summary: ClassVar[str] = "numbered objects put in S3, and which survive elsewhere (RPO)"
    example: ClassVar[str] = """
history:
  kind: s3_ledger
  bucket: viewing-history-us-east-1
  write_to: us-east-1
  read_bucket: viewing-history-us-west-2
  read_from: us-west-2
"""
    ledger: ClassVar[bool] = True
    without: ClassVar[Mapping[str, str]] = NO_NAMES

    kind: Literal["s3_ledger"]
    every: Duration = Field(default=0.5, ge=0.001, description="period of the grid")
    bucket: Bucket = Field(description="the bucket that is written to")
    write_to: Region = Field(description="the region of that bucket")
    read_bucket: Bucket | None = Field(
        default=None,
        description="the bucket that is asked what survived, such as a replica; default: `bucket`",
    )
    read_from: Region = Field(description="the region of the bucket that is asked")
    prefix: Prefix = Field(default="ledger/", description="what the keys of its objects begin with")

    def calls(self) -> tuple[ApiCall, ...]:
        wrote, asked = f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self._read_bucket}"
        return (
            _call(self.write_to, "put_object", f"{wrote}/{self.prefix}*"),
            _call(self.read_from, "list_objects_v2", asked),
            _call(self.read_from, "get_object", f"{asked}/{self.prefix}*"),
        )

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Put the object with this attempt's number, once; good when it is acknowledged."""
        attempt.detail["write"] = "unknown"
        name = f"{_series(attempt)}{attempt.n:012d}"
        with attempt.phase("write"):
            await net.aws(
                "s3",
                self.write_to,
                "put_object",
                Bucket=self.bucket,
                Key=self.prefix + name,
                Body=name.encode(),
            )
        attempt.detail["write"] = "acknowledged"

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        """The numbers whose objects are there, each with its own body, in rising order.

        Raises ProbeFailed when it cannot read all of them: half a list would call the rest lost.
        """
        with attempt.phase("read"):
            listed = [item async for item in self._objects(net, _series(attempt))]
            numbers = [(self._number(item), await self._whole(net, item)) for item in listed]
        attempt.detail[CONFLICTING] = sorted(number for number, whole in numbers if not whole)
        return sorted(number for number, whole in numbers if whole)

    async def _objects(self, net: Net, series: str) -> AsyncIterator[dict[str, Any]]:
        more: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            page = await net.aws(
                "s3",
                self.read_from,
                "list_objects_v2",
                Bucket=self._read_bucket,
                Prefix=self.prefix + series,
                **more,
            )
            for item in page.get("Contents", ()):
                yield item
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}
        raise ProbeFailed(f"the ledger has more than {MAX_PAGES} pages; it was not read to its end")

    async def _whole(self, net: Net, item: dict[str, Any]) -> bool:
        """Whether the object's body is what was written under that key."""
        body = item["Key"].removeprefix(self.prefix).encode()
        if item["Size"] != len(body):
            return False
        # MD5 is what the service computes; nothing here has to resist an attacker.
        if item["ETag"].strip('"') == hashlib.md5(body, usedforsecurity=False).hexdigest():
            return True
        found = await net.aws(
            "s3", self.read_from, "get_object", Bucket=self._read_bucket, Key=item["Key"]
        )
        import asyncio

        with found["Body"] as stream:  # it blocks; its length is that of a key
            return bool(await asyncio.to_thread(stream.read, len(body) + 1) == body)

    @property
    def _read_bucket(self) -> str:
        return self.read_bucket or self.bucket

    def _number(self, item: dict[str, Any]) -> int:
        text = str(item["Key"]).rpartition("/")[2]
        if not text.isascii() or not text.isdigit():
            raise ProbeFailed(f"the ledger holds {text[:40]!r}, which it did not write")
        return int(text)


def _call(region: str, operation: str, resource: str) -> ApiCall:
    return ApiCall(service="s3", region=region, operation=operation, resource=resource)


def _series(attempt: Attempt) -> str:
    return f"{attempt.run}/{attempt.probe}/"
