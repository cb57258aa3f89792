"""The manifest: name, size and SHA-256 of each file of a bundle. What seals it is `manifest.json`.

Its own bytes follow from what it says, so that there is one way to write it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chaos.errors import InvalidInput

NAME, SIGNATURE = "manifest.json", "manifest.json.sig"
FORMAT, VERSION = "chaos-evidence", 1
LARGEST = 64 * 1024  # bytes; one of all files that may be has a tenth of that


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`tool` and `code` are the version and the digest of the code that has made the bundle.

    `files` has for each name its `size` in bytes and its `sha256`. `signed` is whether a signature
    of this manifest is in the bundle too.
    """

    run: str
    tool: str
    code: str
    signed: bool
    files: dict[str, dict[str, Any]]

    def to_bytes(self) -> bytes:
        """The file."""
        told = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return (json.dumps(told, indent=2, sort_keys=True) + "\n").encode()


def of(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """What a manifest says of these files."""
    return {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }


def read(data: bytes) -> Manifest:
    """The manifest; raises ValueError for what is none, InvalidInput for a newer version's."""
    if len(data) > LARGEST:
        raise ValueError(f"is larger than {LARGEST // 1024} KiB")
    try:
        told = json.loads(data)
        kind, version = told.pop("format"), told.pop("version")
        found = Manifest(**told) if (kind, version) == (FORMAT, VERSION) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("cannot be read") from error
    if kind == FORMAT and isinstance(version, int) and version > VERSION:
        raise InvalidInput(
            f"the bundle has version {version}, and this chaos reads version {VERSION}: take a"
            " newer chaos"
        )
    if found is None or not _as_written(found, data):
        raise ValueError("is not as it was written")
    return found


def _as_written(found: Manifest, data: bytes) -> bool:
    try:
        return found.to_bytes() == data
    except (TypeError, ValueError, RecursionError):  # what JSON has, sorted, but no manifest
        return False


def differences(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
    """A sentence for each file that is not as the manifest says."""
    told, there = manifest.files, of(files)
    for name in sorted(told.keys() | there.keys()):
        if name not in there:
            yield f"{name} is missing"
        elif name not in told:
            yield f"{name} was added"
        elif told[name] != there[name]:
            yield f"{name} was changed: it is not what the manifest has the hash of"
