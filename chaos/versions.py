"""What a run was carried out with: Python, libraries, and the very code of this tool."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

# Those that calls, measurement and reports rest on; what is not installed is not told.
PACKAGES = (
    "boto3",
    "botocore",
    "click",
    "dnspython",
    "httptools",
    "jmespath",
    "moto",
    "prometheus-client",
    "pydantic",
    "pyyaml",
    "rich",
    "tenacity",
    "uvloop",
)
CODE = {".css", ".html", ".js", ".py"}


def versions() -> dict[str, Any]:
    """The versions as JSON, with the digest of our code: two of one number may differ."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "code": code(),
    }


@functools.cache
def code() -> str:
    """SHA-256 over the files of `chaos` and `probes`, by name: 64 hex digits.

    That of a process stays what it was when it was first asked for.
    """
    digest, root = hashlib.sha256(), Path(__file__).parent.parent
    files = [f for part in ("chaos", "probes") for f in (root / part).rglob("*")]
    for file in sorted(f for f in files if f.suffix in CODE):
        name, content = file.relative_to(root).as_posix(), file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
