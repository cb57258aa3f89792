"""Stores for tests: one in memory, that can be made to die, and the three kinds on moto."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from moto_account import KEYS, REGION

from chaos.custody.clock import Clock
from chaos.custody.store import Calls, Document
from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed

KEY = (KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
URLS = {
    "s3": "s3://chaos-custody/undo",
    "ssm": f"ssm:/chaos/undo?region={REGION}",
    "dynamodb": f"dynamodb:chaos-custody?region={REGION}",
}
CLOSED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


class Died(BaseException):
    """The process is killed: nothing of it runs on, no `except` and no `finally` does any good."""


@dataclass(slots=True)
class Shared:
    """What a store holds, whoever looks into it."""

    documents: dict[str, Document] = field(default_factory=dict)
    writes: int = 0


class MemoryStore:
    """A store with strict conditions; each process that uses it has one of its own.

    `dies_at`: the process dies at its change of that number, before it or (`after`) when it is
    done. From then on nothing that it does reaches the store. `fails_at`: that call fails.
    """

    url = "memory:"

    def __init__(self, shared: Shared | None = None) -> None:
        self.shared = shared or Shared()
        self.clock = Clock()
        self.dies_at: int | None = None
        self.after = False
        self.fails_at: set[int] = set()
        self.answer_lost = False
        self.changes = self.calls = 0
        self.dead = False

    async def inspect(self) -> None:
        """It is private enough."""
        self._call()

    async def write(self, key: str, text: str, over: str | None = None) -> str | None:
        """As the protocol has it."""
        failing = self._call()
        there = self.shared.documents.get(key)
        if (there.version if there else None) != over:
            self._fail(failing)
            return there.version if there and there.text == text else None
        self.changes += 1
        self._die(before=True)
        if not (failing and not self.answer_lost):
            self.shared.writes += 1
            self.shared.documents[key] = Document(text, str(self.shared.writes))
        self._die(before=False)
        self._fail(failing)
        return str(self.shared.writes)

    async def get(self, key: str) -> Document | None:
        """As the protocol has it."""
        self._fail(self._call())
        return self.shared.documents.get(key)

    async def remove(self, key: str) -> None:
        """As the protocol has it."""
        failing = self._call()
        self.changes += 1
        self._die(before=True)
        self.shared.documents.pop(key, None)
        self._die(before=False)
        self._fail(failing)

    async def keys(self, prefix: str) -> list[str]:
        """As the protocol has it."""
        self._fail(self._call())
        return sorted(key for key in self.shared.documents if key.startswith(prefix))

    def _call(self) -> bool:
        if self.dead:
            raise Died
        self.calls += 1
        return self.calls in self.fails_at

    def _die(self, *, before: bool) -> None:
        if self.changes == self.dies_at and before != self.after:
            self.dead = True
            raise Died

    def _fail(self, failing: bool) -> None:
        if failing:
            raise CallFailed("the store", "Throttled", "as the test wants it")


@contextmanager
def calls_to(endpoint: str) -> Iterator[Calls]:
    """Calls with the credentials of the account that moto stands in for."""
    calls = AwsCalls(endpoint, key=KEY, attempts=3, timeout_s=20, threads=24)
    try:
        yield calls.call
    finally:
        calls.close()


async def make_stores(call: Calls) -> None:
    """A bucket, closed to the public, and a table, as a user would make them."""
    await call("s3", REGION, "create_bucket", Bucket="chaos-custody")
    await call(
        "s3",
        REGION,
        "put_public_access_block",
        Bucket="chaos-custody",
        PublicAccessBlockConfiguration=CLOSED,
    )
    await call(
        "dynamodb",
        REGION,
        "create_table",
        TableName="chaos-custody",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
