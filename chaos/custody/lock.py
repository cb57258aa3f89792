"""One drill at a time in an account, among all who name the same undo log.

A lock names a run, and lasts as long as that run's lease. Once that is over it is free only when
the run has left nothing open: two drills must not find each other's levers. A lock is not removed
but marked as free, since a condition holds for writing alone in all three kinds of store.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from chaos.custody.lease import Owner, moment
from chaos.custody.store import Document, Store
from chaos.custody.unfinished import Unfinished, one
from chaos.errors import InvalidInput, JournalFailed

LOCKS = "locks/"


@dataclass(frozen=True, slots=True)
class Lock:
    """Who has an account to themselves; `run` is empty when it is free."""

    account: str
    run: str
    owner: Owner
    since: str
    token: str

    def text(self) -> str:
        """As a document."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Holder:
    """The lock of an account, and what is known of the run that holds it."""

    lock: Lock
    document: Document
    run: Unfinished | None

    @property
    def alive(self) -> bool:
        """Whether somebody still minds the run."""
        return self.run is not None and self.run.alive and not self.run.over

    @property
    def free(self) -> bool:
        """Whether a drill may take it without asking anybody."""
        return not self.lock.run or (not self.alive and (not self.run or self.run.nothing_open))


def read(document: Document) -> Lock:
    """The lock in a document; raises JournalFailed for what is none."""
    try:
        found: dict[str, Any] = json.loads(document.text)
        return Lock(**{**found, "owner": Owner(**found["owner"])})
    except (ValueError, TypeError, KeyError) as error:
        raise JournalFailed(f"not a lock of ours: {document.text[:80]!r}") from error


async def holder(store: Store, account: str) -> Holder | None:
    """Who has the account; None when nobody ever had. Raises CallFailed or JournalFailed."""
    document = await store.get(LOCKS + account)
    if document is None:
        return None
    lock = read(document)
    return Holder(lock, document, await one(store, lock.run) if lock.run else None)


async def against(store: Store, account: str) -> str:
    """Why a drill would not get the account now, if so; raises CallFailed or JournalFailed."""
    held = await holder(store, account)
    return "" if held is None or held.free else _refusal(store, held)


async def take(
    store: Store, account: str, run: str, owner: Owner, *, breaking: str | None = None
) -> None:
    """Have the account for that run; raises InvalidInput when somebody else has it.

    `breaking` is the run whose lock is taken all the same.
    """
    held = await holder(store, account)
    if held is not None and not held.free and held.lock.run != breaking:
        raise InvalidInput(_refusal(store, held))
    if not await _write(store, account, run, owner, held.document.version if held else None):
        raise InvalidInput(f"another drill has just taken the account {account}; try again later")


async def release(store: Store, run: str) -> None:
    """Free whatever that run holds, and nothing that others do; raises CallFailed."""
    for key in await store.keys(LOCKS):
        document = await store.get(key)
        lock = read(document) if document else None
        if document and lock and lock.run == run:
            await _write(store, lock.account, "", lock.owner, document.version)


async def held_by(store: Store, account: str, run: str) -> bool:
    """Whether the account is that run's; raises CallFailed."""
    document = await store.get(LOCKS + account)
    return document is not None and read(document).run == run


async def break_lock(store: Store, held: Holder) -> bool:
    """Free it whoever holds it; False when it has changed hands meanwhile."""
    lock = held.lock
    return await _write(store, lock.account, "", lock.owner, held.document.version)


async def _write(store: Store, account: str, run: str, owner: Owner, over: str | None) -> bool:
    since = store.clock.now().isoformat(timespec="seconds")
    lock = Lock(account, run, owner, since, secrets.token_hex(8))
    return await store.write(LOCKS + account, lock.text(), over) is not None


def _refusal(store: Store, held: Holder) -> str:
    lock = held.lock
    who = f"the account {lock.account} is locked by the run {lock.run} of {lock.owner}"
    if held.alive and held.run and held.run.held:
        until = moment(held.run.held.until)
        return f"{who}, which is still at work (its lease goes until {until}); stop it, or wait"
    return (
        f"{who}, which is no longer at work and has left levers open; put them back first:"
        f" chaos rollback --orphans --undo-log '{store.url}'"
    )
