"""Documents as parameters of the SSM Parameter Store: SecureString, so KMS encrypts each.

PutParameter can refuse what is there, but cannot replace under a condition. So nothing is ever
replaced: a document is a row of parameters `key/000001`, `key/000002`, …, each made once, and the
highest counts. Of two who write over the same version one makes the next parameter. The first of
a row stays, so that no document is made twice. A value holds 4 KB: texts are compressed, and what
is longer goes on in parameters beside it, which are there before the one that counts.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable
from typing import Any

from chaos.custody.location import Location
from chaos.custody.store import Calls, Document, Door, settled
from chaos.errors import CallFailed

LIMIT = 4000  # characters of one value; a standard parameter takes 4096
KEPT = 4  # of the last versions: who is late finds the next one taken
COUNTS = re.compile(r"(?P<key>.+)/(?P<version>\d{6})$")


class ParameterStore:
    """The parameters below a path."""

    def __init__(self, at: Location, call: Calls) -> None:
        self.url = at.url
        self._at = at
        self._ssm = Door(call, "ssm", at.region)
        self.clock = self._ssm.clock

    async def inspect(self) -> None:
        """There is nothing to be open: each parameter is written as SecureString."""

    async def write(self, key: str, text: str, over: str | None = None) -> str | None:
        """PutParameter of the next in the row, which somebody else may have made."""
        version = int(over or 0) + 1
        name = self._name(key, version)
        first, *rest = _parts(name, text)
        for part in rest:
            await self._put(*part)  # the same text: whoever made it
        if not await self._put(*first):
            return await settled(self, key, text)
        if over is None:
            return str(version)
        versions = await self._versions(key)
        if max(versions, default=version) > version:  # it was so old that its row had gone on
            await self._delete([name])
            return None
        await self._delete(self._name(key, v) for v in versions if 1 < v <= version - KEPT)
        return str(version)

    async def get(self, key: str) -> Document | None:
        """The last of the row."""
        found = await self._below(key, decrypt=True)
        versions = [int(m["version"]) for name in found if (m := COUNTS.match(name))]
        if not versions:
            return None
        name = self._name(key, max(versions))
        return Document(_joined(name, found), str(max(versions)))

    async def remove(self, key: str) -> None:
        """DeleteParameters, the whole row; the last goes last."""
        await self._delete(sorted(await self._below(key)))

    async def keys(self, prefix: str) -> list[str]:
        """GetParametersByPath, all pages; `prefix` may end within a name."""
        found = await self._below(prefix.rpartition("/")[0])
        above = f"{self._at.name}/"
        keys = {m["key"].removeprefix(above) for name in found if (m := COUNTS.match(name))}
        return sorted(key for key in keys if key.startswith(prefix))

    def _name(self, key: str, version: int) -> str:
        return f"{self._at.name}/{key}/{version:06}"

    async def _put(self, name: str, value: str) -> bool:
        """Whether it was made; False when it is there."""
        key = {"KeyId": self._at.kms} if self._at.kms else {}
        try:
            await self._ssm(
                "put_parameter",
                Name=name,
                Value=value,
                Type="SecureString",
                Overwrite=False,
                Tier="Standard",
                **key,
            )
        except CallFailed as error:
            if error.code == "ParameterAlreadyExists":
                return False
            raise
        return True

    async def _versions(self, key: str) -> list[int]:
        found = await self._below(key)
        return [int(m["version"]) for name in found if (m := COUNTS.match(name))]

    async def _below(self, key: str, *, decrypt: bool = False) -> dict[str, str]:
        """The parameters below a key, by name."""
        found: dict[str, str] = {}
        more: dict[str, Any] = {}
        path = f"{self._at.name}/{key}".rstrip("/")
        while True:
            answer = await self._ssm(
                "get_parameters_by_path",
                Path=path,
                Recursive=True,
                WithDecryption=decrypt,
                **more,
            )
            found |= {p["Name"]: p["Value"] for p in answer["Parameters"]}
            if not answer.get("NextToken"):
                return found
            more = {"NextToken": answer["NextToken"]}

    async def _delete(self, names: Iterable[str]) -> None:
        names = list(names)
        for n in range(0, len(names), 10):  # as many as one call takes
            await self._ssm("delete_parameters", Names=names[n : n + 10])


def _parts(name: str, text: str) -> list[tuple[str, str]]:
    """Names and values: first the one that counts, which tells how many follow."""
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    values = [packed[n : n + LIMIT] for n in range(0, len(packed), LIMIT)]
    rest = [(f"{name}.{digest}.{n}", value) for n, value in enumerate(values[1:], 1)]
    return [(name, f"{len(values)} {digest} {values[0]}"), *rest]


def _joined(name: str, found: dict[str, str]) -> str:
    """The text; what is not whole becomes a text that is no document, so that readers tell it."""
    try:
        count, digest, first = found[name].split(" ")
        rest = (found[f"{name}.{digest}.{n}"] for n in range(1, int(count)))
        return zlib.decompress(base64.b64decode("".join([first, *rest]))).decode()
    except (KeyError, ValueError, zlib.error):
        return ""
