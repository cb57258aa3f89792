"""The copy of a journal that outlives the machine: `Journal.outside` keeps it, if anything does.

A pull must be in it before its lever moves. Whatever else is to be copied may fail to be: no lever
waits for that, and it is told once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from chaos.errors import ChaosError, JournalFailed
from chaos.journal import Event, Journal
from chaos.loops import speed_of

log = logging.getLogger("chaos")

# Seconds of the wall that one event may take; after that it counts as not copied.
WITHIN_S = 20.0


async def must_be_outside(journal: Journal, event: Event) -> None:
    """Return when the copy has the event; raises JournalFailed."""
    if journal.outside is None:
        return
    limit = WITHIN_S * speed_of(asyncio.get_running_loop())
    try:
        async with asyncio.timeout(limit), journal.copying:
            await journal.outside(event)
    except TimeoutError as error:
        raise JournalFailed(
            f"the copy of the journal outside this machine took more than {WITHIN_S:g} s"
        ) from error


async def tell_outside(journal: Journal, *events: Event) -> None:
    """Copy what can be copied; what cannot is noted the first time and raises nothing."""
    for event in events:
        try:
            await must_be_outside(journal, event)
        except ChaosError as error:
            _note_once(journal, f"the copy of the journal is behind: {error}")
        except Exception as error:  # a defect of the copy must not keep a lever broken
            log.exception("a defect of the copy of the journal")
            _note_once(journal, f"the copy of the journal is behind: {error!r}")


def _note_once(journal: Journal, text: str) -> None:
    if not journal.behind:
        journal.behind = True
        with contextlib.suppress(JournalFailed):
            journal.write("note", text=text)
