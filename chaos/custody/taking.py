"""To mind a run: from before anything is touched until all is back, or somebody else has it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chaos.custody import lock
from chaos.custody.lease import RENEWALS, TTL_S, Lease, Owner
from chaos.custody.opening import open_store
from chaos.custody.store import Calls, Store, check
from chaos.custody.undo_log import BEFORE_S, UndoLog, finished
from chaos.custody.unfinished import Unfinished, one
from chaos.custody.wardens import dead_man_s
from chaos.errors import CallFailed, ChaosError, InvalidInput, JournalFailed
from chaos.injection import to_its_end
from chaos.journal import Event

T = TypeVar("T")
BEGIN_WITHIN_S = 60.0  # seconds of the wall, for each thing asked of the store beforehand


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The accounts are this run's, and its undo log is open.

    `dead_man_s`: seconds of the wall after which a runner that has died is missed and its levers
    begin to go back; None: nobody watches, so they wait for a person.
    """

    url: str
    record: Callable[[Event], Awaitable[None]]
    dead_man_s: float | None


@contextlib.asynccontextmanager
async def take(
    url: str,
    call: Calls,
    *,
    run: str,
    accounts: Iterable[str],
    who: str,
    lost: Callable[[str], None],
    breaking: str | None = None,
    ttl_s: float = TTL_S,
) -> AsyncIterator[Taken]:
    """Have these accounts (their ids) alone, and an undo log there, for the time of a run.

    `lost` is told when others may take the run for dead: then it must put everything back. When
    nothing is open in the end, nothing is left in the store; else what is open stays there, with
    the locks. Raises InvalidInput: the store will not do, or somebody else has an account.
    """
    store, accounts = open_store(url, call), sorted(set(accounts))
    owner = Owner.here(who)
    lease = Lease(store, run, owner, ttl_s=ttl_s)
    log = UndoLog(store, run, lease)
    await _within(check(store))
    await _within(lease.begin())
    try:
        for account in accounts:  # in one order, so that two drills never wait for each other
            await _within(lock.take(store, account, run, owner, breaking=breaking))
        dead_man = await _within(dead_man_s(store, ttl_s))
        async with _minding(store, lease, run, accounts, lost):
            yield Taken(url=url, record=log.record, dead_man_s=dead_man)
    finally:
        await to_its_end(leave(store, lease, log, run))


async def against(url: str, call: Calls, accounts: Sequence[str]) -> list[str]:
    """What would keep a drill from having the accounts, in sentences; changes nothing."""
    store = open_store(url, call)
    try:
        await _within(store.inspect())
        return [said for one in accounts if (said := await _within(lock.against(store, one)))]
    except InvalidInput as error:
        return list(error.problems)


async def _within(work: Awaitable[T], seconds: float = BEGIN_WITHIN_S) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise InvalidInput(f"the undo log does not answer within {seconds:g} s") from error
    except (CallFailed, JournalFailed) as error:
        raise InvalidInput(f"the undo log cannot be used: {error}") from error


@contextlib.asynccontextmanager
async def taken_over(
    store: Store, found: Unfinished, who: str, lost: Callable[[str], None]
) -> AsyncIterator[tuple[Unfinished, Callable[[Event], Awaitable[None]]]]:
    """Mind a run whose runner is dead; yields it as it now is, and what records what is done.

    Whoever thinks that the run is theirs finds out with the next pull. Raises InvalidInput when
    somebody else was faster, CallFailed and JournalFailed.
    """
    lease = Lease(store, found.run, Owner.here(who))
    await lease.take_over(found.leased)
    log = UndoLog(store, found.run, lease, written=found.events, at=found.next)
    try:
        while not await _fenced(log, found, who):
            # The runner was not dead, and has just written: what it pulled counts too.
            found = await one(store, found.run) or found
            log = UndoLog(store, found.run, lease, written=found.events, at=found.next)
        async with _minding(store, lease, found.run, [], lost):
            yield found, log.record
    finally:
        await to_its_end(leave(store, lease, log, found.run, clear=not found.problems))


async def _fenced(log: UndoLog, found: Unfinished, who: str) -> bool:
    """Take the number that the runner would want next; False when it was faster."""
    last = found.events[-1]["t"] if found.events else 0.0
    text = f"taken over by {Owner.here(who)}"
    try:
        await log.append({"n": -1, "t": last, "event": "note", "text": text}, within=BEFORE_S)
    except JournalFailed:
        if not log.lost:
            raise
        return False
    return True


@contextlib.asynccontextmanager
async def _minding(
    store: Store, lease: Lease, run: str, accounts: list[str], lost: Callable[[str], None]
) -> AsyncIterator[None]:
    tasks = [
        asyncio.create_task(lease.keep(lost)),
        asyncio.create_task(_watch_locks(store, run, accounts, lease.ttl_s / RENEWALS, lost)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch_locks(
    store: Store, run: str, accounts: list[str], every: float, lost: Callable[[str], None]
) -> None:
    """Somebody may break a lock knowingly; a store that does not answer is the lease's matter."""
    while accounts:
        await asyncio.sleep(every)
        for account in list(accounts):
            with contextlib.suppress(CallFailed, JournalFailed):
                if not await lock.held_by(store, account, run):
                    lost(f"the lock of this run on the account {account} was broken")
                    accounts.remove(account)


async def leave(store: Store, lease: Lease, log: UndoLog, run: str, *, clear: bool = True) -> None:
    """Leave the run cleared away, or for whoever puts it back. Raises nothing.

    `clear` is false when it is not known whether all that was open is.
    """
    with contextlib.suppress(ChaosError, TimeoutError):
        async with asyncio.timeout(BEGIN_WITHIN_S):
            with contextlib.suppress(JournalFailed):
                await log.flush(within=BEFORE_S)
            if log.lost:
                return
            if log.open_pulls or not clear:
                await lease.leave()
            else:
                await finish(store, run)


async def finish(store: Store, run: str) -> None:
    """Take away what is kept of a run of which nothing is open; may be begun again anywhere."""
    await store.write(finished(run), run)
    await lock.release(store, run)
    for key in await store.keys(f"runs/{run}/"):
        if key != finished(run):
            await store.remove(key)
    await store.remove(finished(run))
