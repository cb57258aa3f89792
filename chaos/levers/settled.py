"""Waiting until AWS says what it was told: for some seconds its reads may tell what was before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
)

from chaos.environments.environment import Environment
from chaos.errors import CallFailed
from chaos.levers.lever import Lever, Value

T = TypeVar("T")
Step = Callable[[], Awaitable[None]]

# 0.25 s, 0.5 s, 1 s, then 2 s between two tries: 22 s in all. Above the staleness of EC2 and the
# 15 s for which DynamoDB blocks a second change of a resource's policy; below what a lever may take
# in a rollback.
ATTEMPTS = 14
WAIT = wait_exponential(multiplier=0.25, max=2)


async def settled(
    lever: Lever,
    environment: Environment,
    value: Value,
    step: Step | None = None,
    *codes: str,
    foreign: Callable[[Value], bool] = lambda _: False,
) -> None:
    """Return when the lever reads `value`; raises CallFailed when it does not within 22 s.

    `step` is done before each look, also after AWS has answered with one of `codes`: it finds its
    way anew each time, because what it saw the time before may have been stale. What somebody else
    has made of it, and `foreign` knows, is left so: whoever puts back looks again.
    """

    async def once() -> Value:
        if step:
            await step()
        return await lever.read(environment)

    def unsettled(found: Value) -> bool:
        return found != value and not foreign(found)

    looks = AsyncRetrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=WAIT,
        retry=retry_if_result(unsettled) | retry_if_exception(_one_of(codes)),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    found: Value = await looks(once)
    if unsettled(found):
        raise CallFailed(
            f"setting {lever}", "NotSettled", f"it still reads {found!r} instead of {value!r}"
        )


async def persistently(step: Callable[[], Awaitable[T]], *codes: str) -> T:
    """Do the step, and again while AWS answers with one of these codes; bounded as above.

    The step looks anew each time: what it found before may be what has changed.
    """
    tries = AsyncRetrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=WAIT,
        retry=retry_if_exception(_one_of(codes)),
        reraise=True,
    )
    return await tries(step)


def _one_of(codes: Collection[str]) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, CallFailed) and error.code in codes
