"""Where an account keeps small documents: an S3 bucket, SSM parameters, or a DynamoDB table.

Everything rests on one operation: `write`, which only succeeds over the version that it names.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from chaos.custody.clock import Clock
from chaos.environments.calls import NO_ANSWER
from chaos.errors import CallFailed, ChaosError, InvalidInput

Calls = Callable[..., Awaitable[dict[str, Any]]]  # `call` of an environment or of AwsCalls

# What passes by itself: writes that crossed, too many of them, a service that is ill for a while.
PASSING = NO_ANSWER | {
    "ConditionalRequestConflict",
    "ConnectionClosedError",
    "InternalError",
    "InternalServerError",
    "LimitExceededException",
    "OperationAborted",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyUpdates",
    "TransactionConflictException",
}


@dataclass(frozen=True, slots=True)
class Document:
    """What is kept under a key; `version` is for the `write` that is to replace it."""

    text: str
    version: str


class Store(Protocol):
    """Documents by key, such as `locks/123456789012`. All methods raise CallFailed."""

    url: str
    clock: Clock

    async def inspect(self) -> None:
        """Raise InvalidInput when it is open to the public, not encrypted, or of another shape."""

    async def write(self, key: str, text: str, over: str | None = None) -> str | None:
        """Write over that version, or, with None, where nothing is; returns the new version.

        None: somebody else was first, and nothing was written. Who writes the same text again has
        been first: an answer may be lost. So whoever competes must write a text of their own.
        """

    async def get(self, key: str) -> Document | None:
        """What is there."""

    async def remove(self, key: str) -> None:
        """See to it that nothing is there."""

    async def keys(self, prefix: str) -> list[str]:
        """The keys that begin so, sorted."""


class Door:
    """Calls to the store's service, with patience for what passes; sets the clock on the way."""

    def __init__(self, call: Calls, service: str, region: str) -> None:
        self.clock = Clock()
        self._call, self._service, self._region = call, service, region

    async def __call__(self, operation: str, /, **params: Any) -> dict[str, Any]:
        attempts = AsyncRetrying(
            stop=stop_after_attempt(5),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            retry=retry_if_exception(passes),
            reraise=True,
        )
        answer: dict[str, Any] = await attempts(
            self._call, self._service, self._region, operation, **params
        )
        self.clock.saw(answer)
        return answer


def passes(error: BaseException) -> bool:
    """Whether a call that failed so may do better a moment later."""
    return isinstance(error, CallFailed) and error.code in PASSING


async def settled(store: Store, key: str, text: str) -> str | None:
    """After a refused write: the version, if what is there is our own, whose answer was lost."""
    found = await store.get(key)
    return found.version if found is not None and found.text == text else None


async def check(store: Store) -> None:
    """Raise InvalidInput unless it is private and keeps what it promises; leaves nothing there."""
    try:
        await store.inspect()
        key = f"checks/{secrets.token_hex(8)}"
        try:
            kept = await _keeps(store, key)
        finally:
            await store.remove(key)
    except InvalidInput:
        raise
    except ChaosError as error:
        raise InvalidInput(f"the undo log {store.url} cannot be used: {error}") from error
    if not kept:
        raise InvalidInput(
            f"the undo log {store.url} takes a write over another's, so nothing there could hold a"
            " lock; use S3, SSM or DynamoDB themselves"
        )


async def _keeps(store: Store, key: str) -> bool:
    """Whether of two who write over the same version one is refused, and the other's is kept."""
    first = await store.write(key, "first")
    if first is None or await store.write(key, "another's"):
        return False
    second = await store.write(key, "second", over=first)
    late = await store.write(key, "too late", over=first)
    found = await store.get(key)
    return bool(second) and late is None and found is not None and found.text == "second"
