"""`chaos rollback --orphans --watch`: the dead man's switch of all drills of one undo log."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chaos.cli.say import say
from chaos.errors import ChaosError
from chaos.runs import Runs

if TYPE_CHECKING:
    from chaos.cli.orphans import Wanted
    from chaos.custody.store import Store
    from chaos.custody.unfinished import Unfinished

# What could not be put back is tried again after one period, two, four …, and so many seconds.
LONGEST_PAUSE_S = 600.0


def watch(wanted: Wanted, runs: Runs, every_s: float) -> int:
    """Put back whatever loses its runner, until a signal says to stop; returns the exit code."""
    asyncio.run(_watch(wanted, runs, every_s))
    return 0


async def _watch(wanted: Wanted, runs: Runs, every_s: float) -> None:
    from chaos.cli.orphans import reached
    from chaos.custody.lease import Owner
    from chaos.custody.store import check
    from chaos.custody.wardens import Warden

    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with reached(wanted.undo_log, wanted.profile, wanted.endpoint) as (store, _, by):
        await check(store)
        warden = Warden(store, Owner.here(by), every_s)
        rounds = Rounds(store, runs, by, wanted, every_s)
        tell(f"watching {store.url} every {every_s:g} s")
        async with warden.at_work():
            while not over.is_set():
                try:
                    await warden.tell()
                    await rounds.go()
                except ChaosError as error:
                    tell(str(error))
                try:
                    await asyncio.wait_for(over.wait(), every_s)
                except TimeoutError:
                    continue
    tell("no longer watching")


class Rounds:
    """Looks again and again; what could not be put back is left alone for longer each time."""

    def __init__(self, store: Store, runs: Runs, by: str, wanted: Wanted, every_s: float) -> None:
        self._store, self._runs, self._by, self._wanted = store, runs, by, wanted
        self._every_s = every_s
        self._pauses: dict[str, tuple[float, float]] = {}  # by run: until when, and how long

    async def go(self) -> None:
        """One round; raises CallFailed when the store does not answer."""
        from chaos.custody.unfinished import all_runs

        now = asyncio.get_running_loop().time()
        for found in await all_runs(self._store):
            if not found.alive and now >= self._pauses.get(found.run, (0.0, 0.0))[0]:
                await self._put_back(found)

    async def _put_back(self, found: Unfinished) -> None:
        from chaos.cli.orphans import outcome, state
        from chaos.custody import orphans
        from chaos.rollback import incomplete

        if not found.nothing_open:
            tell(f"{found.run}: {state(found)}; putting back {len(found.open_pulls)}")
        try:
            pulls = await orphans.put_back(
                self._store,
                found,
                self._runs,
                self._by,
                tell,
                profile=self._wanted.profile,
                endpoint=self._wanted.endpoint,
            )
        except ChaosError as error:
            tell(f"{found.run}: {error}")
            self._pause(found.run)
            return
        for pull in pulls:
            tell(f"{found.run}: {outcome(pull)}")
        if incomplete(pulls) or found.problems:
            self._pause(found.run)

    def _pause(self, run: str) -> None:
        _, last = self._pauses.get(run, (0.0, self._every_s / 2))
        pause = min(2 * last, LONGEST_PAUSE_S)
        self._pauses[run] = (asyncio.get_running_loop().time() + pause, pause)


def tell(text: str) -> None:
    """A line with the time of day, for whoever reads it later."""
    say(f"{datetime.now(UTC):%F %T} {text}")
