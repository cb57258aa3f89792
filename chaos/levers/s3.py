"""Levers of S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import RestoreFailed

Entry = dict[str, Any]  # of ListObjectVersions


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDeletion:
    """Whether an object of a versioned bucket is deleted, which is to have a delete marker more.

    The value is the newest version of the object and the number of its delete markers. Put back by
    removing the marker that is too many, by its own version id: the version below is the current
    one again. A newer version, or yet another marker, is somebody else's change and is kept.
    """

    kind: ClassVar[str] = "object_deletion"
    irreversible: ClassVar[bool] = False

    region: str
    bucket: str
    key: str

    async def read(self, environment: Environment) -> Any:
        version, markers = await self._stack(environment)
        return {"version": version, "markers": len(markers)}

    async def set(self, environment: Environment, value: Any) -> None:
        version, markers = await self._stack(environment)
        if version != value["version"]:
            raise RestoreFailed(
                f"{self.key} in {self.bucket} has another newest version than {value['version']};"
                " it is left as it is"
            )
        for _ in range(value["markers"] - len(markers)):
            await self._call(environment, "delete_object")
        # The newest come first, so that older ones, under an older version, stay.
        for marker in markers[: max(0, len(markers) - value["markers"])]:
            await self._call(environment, "delete_object", VersionId=marker)

    async def _stack(self, environment: Environment) -> tuple[str | None, list[str]]:
        """The newest version, and all markers, the newest first."""
        versions, markers = await self._entries(environment)
        newest = versions[0]["VersionId"] if versions else None
        return newest, [marker["VersionId"] for marker in markers]

    async def _entries(self, environment: Environment) -> tuple[list[Entry], list[Entry]]:
        """Of this very key, the newest first, as S3 lists them."""
        found: tuple[list[Entry], list[Entry]] = ([], [])
        more: dict[str, str] = {}
        while True:
            page = await self._call(
                environment, "list_object_versions", whole=False, Prefix=self.key, **more
            )
            for entries, name in zip(found, ("Versions", "DeleteMarkers"), strict=True):
                entries.extend(e for e in page.get(name, []) if e["Key"] == self.key)
            others = page.get("NextKeyMarker", self.key) != self.key
            if not page.get("IsTruncated") or others:
                return found
            more = {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page["NextVersionIdMarker"],
            }

    async def _call(
        self, environment: Environment, operation: str, *, whole: bool = True, **params: Any
    ) -> dict[str, Any]:
        """An operation on the bucket; `whole`: on the object."""
        key = {"Key": self.key} if whole else {}
        return await environment.call(
            "s3", self.region, operation, Bucket=self.bucket, **key, **params
        )
