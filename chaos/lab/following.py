"""Following what the AWS API is told: soon after each change, and now and then all the same."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable

from chaos.errors import ChaosError
from chaos.loops import speed_of


class Follower:
    """Looks once after any number of wakes, and never twice at a time.

    `every` is in seconds of the lab (of the wall at least one) between two looks in quiet times.
    A look that fails is told on standard error and made again.
    """

    def __init__(self, what: str, look: Callable[[], Awaitable[None]], every: float) -> None:
        self._what = what
        self._look = look
        self._every = every
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on."""
        self._task = asyncio.create_task(self._follow())

    def wake(self) -> None:
        """Something may have changed."""
        self._changed.set()

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        every = max(self._every, speed_of(asyncio.get_running_loop()))
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._changed.wait()
            self._changed.clear()
            try:
                await self._look()
            except ChaosError as error:
                print(f"the lab cannot follow {self._what}: {error}", file=sys.stderr)
