"""Objects are deleted."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from chaos.errors import InvalidInput
from chaos.faults.fault import Fault, Fidelity, Look, Pull
from chaos.levers.s3 import ObjectDeletion

Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
# Each object is a lever of its own, recorded durably before it is touched: some ten milliseconds.
MOST = 500
MOST_PAGES = 50  # of 1000 entries each, the service's limit

Entry = dict[str, Any]  # of ListObjectVersions


class ObjectLoss(Fault):
    """Deletes the objects of a versioned S3 bucket whose keys begin with `prefix`.

    Each gets a delete marker, as by anybody who deletes without naming a version: reading it fails
    with 404, and nothing of it is lost. When the fault is lifted, exactly these markers are
    removed. An object that somebody has written anew meanwhile is a conflict: it is kept as it is,
    and reported. Objects that are written after the injection are not touched.

    A bucket that is not versioned is refused before anything is touched, because nothing would
    bring its objects back; so is one whose versioning is suspended. To find no object is an error
    too, and so are more than 500, one after another: give a longer `prefix`.

    S3 does not replicate delete markers unless a rule says so: replicas keep their objects.
    """

    summary: ClassVar[str] = "objects of a versioned bucket are deleted, and put back"
    example: ClassVar[str] = """\
- kind: object_loss
  region: us-east-1
  bucket: viewing-history-us-east-1
  prefix: history/
  lasts: 60s
"""
    fidelity: ClassVar[dict[str, Fidelity]] = {"embedded": "real", "localstack": "real"}

    kind: Literal["object_loss"]
    region: str = Field(description="the region of the bucket")
    bucket: Bucket = Field(description="the bucket that loses objects")
    prefix: str = Field(
        min_length=1, max_length=1024, description="what the keys of these objects begin with"
    )

    def services(self) -> frozenset[str]:
        return frozenset({"s3"})

    async def inject(self, look: Look, pull: Pull) -> None:
        versioning = await look("s3", self.region, "get_bucket_versioning", Bucket=self.bucket)
        if versioning.get("Status") != "Enabled":
            raise InvalidInput(
                f"object_loss: {self.bucket} is not versioned: nothing would bring its objects"
                " back; enable its versioning"
            )
        for key, deleted in (await self._present(look)).items():
            await pull(ObjectDeletion(region=self.region, bucket=self.bucket, key=key), deleted)

    async def _present(self, look: Look) -> dict[str, dict[str, Any]]:
        """The objects that are there, by their keys: what their levers read when they are gone."""
        versions, markers = await self._listed(look)
        current = {one["Key"]: one["VersionId"] for one in versions if one["IsLatest"]}
        if not current or len(current) > MOST:
            raise InvalidInput(
                f"object_loss: {len(current) or 'no'} objects of {self.bucket} begin with"
                f" {self.prefix!r}; there must be one at least, and at most {MOST}"
            )
        count = Counter(marker["Key"] for marker in markers)
        return {key: {"version": v, "markers": count[key] + 1} for key, v in current.items()}

    async def _listed(self, look: Look) -> tuple[list[Entry], list[Entry]]:
        """Versions and delete markers under the prefix, of which there may be many of each key."""
        found: tuple[list[Entry], list[Entry]] = ([], [])
        more: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            where = {"Bucket": self.bucket, "Prefix": self.prefix, **more}
            page = await look("s3", self.region, "list_object_versions", **where)
            found[0].extend(page.get("Versions", []))
            found[1].extend(page.get("DeleteMarkers", []))
            if not page.get("IsTruncated"):
                return found
            marks = {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"}
            more = {name: page[key] for name, key in marks.items()}
        raise InvalidInput(
            f"object_loss: {self.bucket} has more than {MOST_PAGES} thousand versions that begin"
            f" with {self.prefix!r}; give a longer prefix"
        )
