"""Who watches: a warden tells in the store that it is there, so that a drill knows its dead man."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from chaos.custody.clock import SKEW_S
from chaos.custody.lease import TTL_S, Owner
from chaos.custody.store import Document, Store
from chaos.errors import ChaosError

WARDENS = "wardens/"
MISSED_S = 60.0  # seconds of the wall beyond its period for which a warden counts as there


class Warden:
    """This process, which looks every so often for runs that have lost their runner."""

    def __init__(self, store: Store, owner: Owner, every_s: float) -> None:
        self._store, self._owner, self._every_s = store, owner, every_s
        self._key = f"{WARDENS}{owner.host}-{owner.pid}"

    async def tell(self) -> None:
        """Say that it is there; raises CallFailed."""
        until = self._store.clock.now() + timedelta(seconds=self._every_s + MISSED_S)
        text = {"owner": str(self._owner), "every_s": self._every_s, "until": until.isoformat()}
        there = await self._store.get(self._key)
        await self._store.write(self._key, json.dumps(text), there.version if there else None)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """While it is entered; it says goodbye in the end."""
        try:
            yield
        finally:
            with suppress(ChaosError, TimeoutError):
                async with asyncio.timeout(MISSED_S):
                    await self._store.remove(self._key)


async def dead_man_s(store: Store, ttl_s: float = TTL_S) -> float | None:
    """Seconds of the wall from a runner's end until a warden begins to put back; None: no warden.

    The lease must run out, with what clocks may differ by, and then the warden must look.
    """
    now = store.clock.now()
    found = [_read(await store.get(key)) for key in await store.keys(WARDENS)]
    periods = [every for every, until in filter(None, found) if until > now]
    return ttl_s + SKEW_S + min(periods) if periods else None


def _read(document: Document | None) -> tuple[float, datetime] | None:
    try:
        told: dict[str, Any] = json.loads(document.text if document else "")
        return float(told["every_s"]), datetime.fromisoformat(told["until"])
    except (ValueError, TypeError, KeyError):
        return None  # one that has just gone, or nothing that could be counted on
