"""Documents as objects of an S3 bucket: conditional writes, strongly consistent, encrypted.

If-None-Match and If-Match of PutObject, and their answers 412 and 409:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import asyncio
from typing import Any

from chaos.custody.location import Location
from chaos.custody.store import Calls, Document, Door, settled
from chaos.errors import CallFailed, InvalidInput

ABSENT = ("NoSuchKey", "404")
REFUSED = ("PreconditionFailed", "412", *ABSENT)
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class BucketStore:
    """A bucket, or what is below a prefix of it."""

    def __init__(self, at: Location, call: Calls) -> None:
        self.url = at.url
        self._at = at
        self._s3 = Door(call, "s3", at.region)
        self.clock = self._s3.clock

    async def inspect(self) -> None:
        """Only a bucket that is closed to the public by itself will do."""
        blocks: dict[str, Any] = {}
        try:
            answer = await self._s3("get_public_access_block", Bucket=self._at.name)
            blocks = answer["PublicAccessBlockConfiguration"]
        except CallFailed as error:
            if error.code != "NoSuchPublicAccessBlockConfiguration":
                raise
        if not all(blocks.get(block) for block in BLOCKS):
            raise InvalidInput(
                f"the undo log {self.url} lies in a bucket that does not block public access; turn"
                f" all four settings of Block Public Access on for {self._at.name}"
            )

    async def write(self, key: str, text: str, over: str | None = None) -> str | None:
        """PutObject under a condition."""
        condition = {"IfMatch": over} if over else {"IfNoneMatch": "*"}
        try:
            answer = await self._s3(
                "put_object",
                Bucket=self._at.name,
                Key=self._at.prefix + key,
                Body=text.encode(),
                ContentType="application/json",
                **condition,
                **self._encryption(),
            )
        except CallFailed as error:
            if error.code not in REFUSED:
                raise
            return await settled(self, key, text)
        if not answer.get("ServerSideEncryption"):
            raise InvalidInput(f"the undo log {self.url} does not encrypt what is written to it")
        return str(answer["ETag"])

    async def get(self, key: str) -> Document | None:
        """GetObject."""
        try:
            answer = await self._s3("get_object", Bucket=self._at.name, Key=self._at.prefix + key)
        except CallFailed as error:
            if error.code in ABSENT:
                return None
            raise
        try:
            body = await asyncio.to_thread(answer["Body"].read)
        except Exception as error:  # botocore's, of a connection that was cut in the middle
            raise CallFailed(f"reading {key}", type(error).__name__, str(error)) from error
        return Document(body.decode(errors="replace"), str(answer["ETag"]))

    async def remove(self, key: str) -> None:
        """DeleteObject; of a versioned bucket it hides the object."""
        await self._s3("delete_object", Bucket=self._at.name, Key=self._at.prefix + key)

    async def keys(self, prefix: str) -> list[str]:
        """ListObjectsV2, all pages."""
        keys: list[str] = []
        more: dict[str, Any] = {}
        while True:
            answer = await self._s3(
                "list_objects_v2", Bucket=self._at.name, Prefix=self._at.prefix + prefix, **more
            )
            keys += [found["Key"] for found in answer.get("Contents", ())]
            if not answer.get("IsTruncated"):
                return sorted(key.removeprefix(self._at.prefix) for key in keys)
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _encryption(self) -> dict[str, str]:
        if self._at.kms is None:
            return {"ServerSideEncryption": "AES256"}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._at.kms}
