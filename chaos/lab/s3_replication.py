"""S3's replication between regions for an emulator that has none: which objects are copied.

As on AWS by default, an object that is written is copied, with its metadata, and a delete marker
is not. What is copied is the object's newest version, whether or not it has been deleted since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from chaos.lab.inventory import Call
from chaos.lab.replication import Copy, Write
from chaos.lab.resources import Bucket, bucket_in
from chaos.proxies.request import ApiRequest

WRITES = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})


class Buckets:
    """The replicated buckets, by the name that the lab declares; `call` goes to the emulator."""

    service = "s3"
    at_once = 1

    def __init__(self, buckets: Mapping[str, Bucket], call: Call) -> None:
        self._call = call
        self._buckets = {
            bucket_in(region, name): (name, bucket)
            for name, bucket in buckets.items()
            for region in bucket.regions
            if bucket.replicated
        }

    def writes(self, request: ApiRequest, body: bytes) -> list[Write]:  # noqa: ARG002  # others need it
        """The object that the call wrote, if its bucket is replicated."""
        real, _, key = (request.path or "").lstrip("/").partition("/")
        if request.operation not in WRITES or real not in self._buckets or not key:
            return []
        name, bucket = self._buckets[real]
        if request.region not in bucket.sources:
            return []
        return [Write(name=name, key=key, identity=key, regions=bucket.regions, lag=bucket.lag)]

    async def copy(self, copies: list[Copy], wanted: Callable[[Copy], bool]) -> Collection[Copy]:
        """Copy the object's newest version; one that is gone with all its versions is none."""
        (copy,) = copies
        version = await self._newest(copy)
        if version is not None and wanted(copy):
            source = {"Bucket": bucket_in(copy.source, copy.write.name), "Key": copy.write.key}
            await self._call(
                "s3",
                copy.target,
                "copy_object",
                Bucket=bucket_in(copy.target, copy.write.name),
                Key=copy.write.key,
                CopySource={**source, "VersionId": version},
            )
        return []

    async def _newest(self, copy: Copy) -> str | None:
        bucket, key = bucket_in(copy.source, copy.write.name), copy.write.key
        answer: dict[str, Any] = await self._call(
            "s3", copy.source, "list_object_versions", Bucket=bucket, Prefix=key
        )
        versions = (v["VersionId"] for v in answer.get("Versions", []) if v["Key"] == key)
        return next(versions, None)
