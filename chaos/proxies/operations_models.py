"""botocore's models of the AWS services, read from its files and no further than is needed.

botocore itself would parse and keep whole models, of up to 3 MB each. Here the beginning of every
file says which services there are, and one part of a file what its operations look like.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore

DATA = Path(botocore.__file__).parent / "data"
# Bytes: of the file, and of what they are unpacked to. `metadata` stands in front.
BEGINNING, UNPACKED = 8192, 32768
GZIP = 31  # zlib's number for a gzip header and the largest window


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: what it is called, and how it is spoken to."""

    name: str  # boto3's
    signing: str  # in the credential scope
    endpoint: str  # in its hosts
    id: str  # the model's service id
    protocols: tuple[str, ...]
    version: str  # `Version` in forms
    target: str  # before the operation in X-Amz-Target and in /service/
    file: Path

    @property
    def names(self) -> frozenset[str]:
        """Every name by which a user may know the service."""
        return frozenset({self.name, self.signing, self.endpoint, self.id, hyphened(self.id)})

    @property
    def is_rest(self) -> bool:
        """Whether its operations are told apart by method and path."""
        return any(protocol.startswith("rest-") for protocol in self.protocols)


def hyphened(service_id: str) -> str:
    """`Route 53` as botocore's events and a configuration file write it."""
    return service_id.lower().replace(" ", "-")


@cache
def services() -> tuple[Service, ...]:
    """All services in their newest version: some 440, which takes 50 to 150 ms the first time."""
    newest = {file.parts[-3]: file for file in sorted(DATA.glob("*/*/service-2.json.gz"))}
    return tuple(_service(name, file) for name, file in newest.items())


def operations(service: Service) -> dict[str, Any]:
    """The operations of a service, as its model has them: a few ms, 12 ms for the largest."""
    return _part(_unpacked(service.file), "operations")


def shapes(service: Service) -> dict[str, Any]:
    """The shapes of a service, as its model has them: up to 30 ms."""
    return _part(_unpacked(service.file), "shapes")


def _service(name: str, file: Path) -> Service:
    try:
        said = _part(_unpacked(file, BEGINNING, UNPACKED), "metadata")
    except ValueError:
        said = _part(_unpacked(file), "metadata")
    return Service(
        name=name,
        signing=said.get("signingName") or said["endpointPrefix"],
        endpoint=said["endpointPrefix"],
        id=said["serviceId"],
        protocols=tuple(said.get("protocols") or [said["protocol"]]),
        version=said["apiVersion"],
        target=said.get("targetPrefix") or said["serviceId"],
        file=file,
    )


def _unpacked(file: Path, size: int = -1, limit: int = 0) -> str:
    with file.open("rb") as stream:
        packed = stream.read(size)
    return zlib.decompressobj(GZIP).decompress(packed, limit).decode("utf-8", "ignore")


def _part(model: str, name: str) -> dict[str, Any]:
    """The first object of that name; raises ValueError when the text ends before it does."""
    key = re.search(rf'"{name}"\s*:\s*(?={{)', model)
    if key is None:
        raise ValueError(f"no {name!r} in the model")
    part: dict[str, Any] = json.JSONDecoder().raw_decode(model, key.end())[0]
    return part
