"""The lease of a run: as long as it is renewed, somebody minds the run, and nobody else may.

Who cannot renew it for its whole time must stop and put back: others then take the run for dead,
though not before the clocks of both could disagree.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from chaos.custody.clock import SKEW_S, Elapsed
from chaos.custody.store import Document, Store
from chaos.errors import ChaosError, InvalidInput, JournalFailed

TTL_S = 60.0
RENEWALS = 3  # in one TTL


@dataclass(frozen=True, slots=True)
class Owner:
    """Who minds a run: a process of a machine, with the ARN of its credentials."""

    host: str
    pid: int
    who: str

    @classmethod
    def here(cls, who: str) -> Owner:
        """This process."""
        return cls(socket.gethostname(), os.getpid(), who)

    def __str__(self) -> str:
        return f"{self.who} on {self.host}, process {self.pid}"


def moment(at: datetime) -> str:
    """A moment for people: `2026-11-21 20:09:46 UTC`."""
    return f"{at:%F %T} UTC"


@dataclass(frozen=True, slots=True)
class Held:
    """What the store says of a lease. `left`: its owner has gone, and said so."""

    run: str
    owner: Owner
    token: str
    since: datetime
    until: datetime
    left: bool = False

    def alive(self, now: datetime) -> bool:
        """Whether its owner may still be at work."""
        return not self.left and now < self.until + timedelta(seconds=SKEW_S)

    def text(self) -> str:
        """As a document."""
        times = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        return json.dumps({**asdict(self), **times})


def key_of(run: str) -> str:
    """Where the lease of that run is kept."""
    return f"runs/{run}/lease"


def read(document: Document) -> Held:
    """The lease in a document; raises JournalFailed for what is none."""
    try:
        found: dict[str, Any] = json.loads(document.text)
        times = {name: datetime.fromisoformat(found[name]) for name in ("since", "until")}
        return Held(**{**found, **times, "owner": Owner(**found["owner"])})
    except (ValueError, TypeError, KeyError) as error:
        raise JournalFailed(f"not a lease of ours: {document.text[:80]!r}") from error


class Lease:
    """The lease of one run, held by this process."""

    def __init__(self, store: Store, run: str, owner: Owner, *, ttl_s: float = TTL_S) -> None:
        """`ttl_s`: seconds of the wall."""
        self._store, self._run, self._owner, self.ttl_s = store, run, owner, ttl_s
        self._token = secrets.token_hex(8)
        self._since: datetime | None = None
        self._age: Elapsed | None = None  # since the last renewal was asked for
        self._lapsed = False

    @property
    def valid(self) -> bool:
        """Whether nobody else may take the run for dead yet; once it was not, it stays so."""
        if self._age is None or self._age() >= self.ttl_s:
            self._lapsed = True
        return not self._lapsed

    async def begin(self) -> None:
        """Hold it for a new run; raises InvalidInput when there is one."""
        if not await self._write(None):
            raise InvalidInput(f"there is a run {self._run} in {self._store.url} already")

    async def take_over(self, document: Document | None) -> None:
        """Hold it in place of whoever had it; raises InvalidInput when somebody was faster."""
        if not await self._write(document.version if document else None):
            raise InvalidInput(f"somebody else has just taken over the run {self._run}")

    async def renew(self) -> bool:
        """Prolong it; False when it is somebody else's by now. Raises CallFailed."""
        document = await self._store.get(key_of(self._run))
        if document is None or read(document).token != self._token:
            return False
        return await self._write(document.version)

    async def leave(self) -> None:
        """Say that nobody minds the run from now on, if it is still ours; raises CallFailed."""
        document = await self._store.get(key_of(self._run))
        if document is not None and read(document).token == self._token:
            await self._write(document.version, left=True)

    async def keep(self, lost: Callable[[str], None]) -> None:
        """Renew it for ever; `lost` is told once, in a sentence, when it is not held any more."""
        told, every = False, self.ttl_s / RENEWALS
        while True:
            await asyncio.sleep(every)
            why = await self._renewed_within(every)
            if why is None:
                continue
            taken = why == TAKEN
            if (taken or not self.valid) and not told:
                self._lapsed = told = True
                lost(f"this run lost its lease in {self._store.url}: {why}")

    async def _renewed_within(self, seconds: float) -> str | None:
        try:
            async with asyncio.timeout(seconds):
                return None if await self.renew() else TAKEN
        except TimeoutError:
            return f"no answer for {seconds:g} s"
        except ChaosError as error:
            return str(error)

    async def _write(self, over: str | None, *, left: bool = False) -> bool:
        asked, now = Elapsed.mark(), self._store.clock.now()
        self._since = self._since or now
        until = now if left else now + timedelta(seconds=self.ttl_s)
        held = Held(self._run, self._owner, self._token, self._since, until, left)
        if await self._store.write(key_of(self._run), held.text(), over) is None:
            return False
        self._age = self._age or Elapsed()
        self._age.restart(*asked)
        return True


TAKEN = "another process has taken the run over"
