"""What people say of a run while it goes on: that they know of it, that they have decided.

`chaos mark RUN --as decided` leaves a file beside the journal; the run sees it and notes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import private
from chaos.errors import InvalidInput, JournalFailed
from chaos.loops import speed_of
from probes.outages import Interval

LOOK_EVERY_S = 0.2  # seconds of the wall between two looks for a mark
LONGEST = 200  # characters of who has marked it


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a person said of the run while it went on: `at` is between the two looks for it."""

    what: str
    at: Interval
    by: str = ""

    @classmethod
    def noted(cls, event: Mapping[str, Any]) -> Mark:
        """As the journal has it."""
        return cls(what=event["what"], at=Interval(event["since"], event["t"]), by=event["by"])


def leave(journal: Path, what: str, by: str) -> None:
    """Leave the mark `what` for the run with that journal; raises InvalidInput, JournalFailed."""
    file = _beside(journal) / what
    if file.exists():
        raise InvalidInput(f"{journal.parent}: {what} is marked already; the first time counts")
    try:
        private.directory(file.parent)
        private.write(file, by)
    except OSError as error:
        raise JournalFailed(f"{file}: cannot be written: {error.strerror}") from error


async def note_marks(journal: Path, now: Callable[[], float], note: Callable[..., None]) -> None:
    """`note` each mark in that journal once it is there, for ever: cancel it to end it.

    It was made between two looks, so the event has both: `since` is the one before. `now` is the
    time of the journal, in seconds.
    """
    loop, directory = asyncio.get_running_loop(), _beside(journal)
    noted: set[str] = set()
    since = now()
    while True:
        looking = now()
        for file in sorted(directory.glob("[!.]*")):  # those with a dot are being written
            if file.name not in noted:
                noted.add(file.name)
                note("mark", what=file.name, since=since, by=_by(file))
        since = looking
        await asyncio.sleep(LOOK_EVERY_S * speed_of(loop))


def _beside(journal: Path) -> Path:
    """Apart from those of tasks (`marks/`), whose files are named by what is to do."""
    return journal.parent / "said"


def _by(file: Path) -> str:
    try:
        return " ".join(file.read_text(errors="replace")[:LONGEST].split())
    except OSError:
        return ""
