"""What a run writes down while it goes on, and the wish to end it, which must be written too."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from chaos.errors import JournalFailed
from chaos.journal import Journal
from chaos.outside import tell_outside
from chaos.packing import ONE_BY_ONE, Packer


class Stop:
    """The wish to end early: set by a signal, a stop condition, or a failure."""

    def __init__(self) -> None:
        # The reasons that the journal does not hold yet, each with when it came, loop time.
        self.unrecorded: list[tuple[str, float]] = []
        self._event = asyncio.Event()

    def request(self, why: str, since: float | None = None) -> None:
        """Ask the run to put everything back and end; `since` is loop time, if not now."""
        now = asyncio.get_running_loop().time()
        self.unrecorded.append((why, now if since is None else since))
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when somebody has asked."""
        await self._event.wait()


class Record:
    """The journal as the run uses it: one that cannot be written ends the run, and no more."""

    def __init__(self, journal: Journal, stop: Stop) -> None:
        self.journal = journal
        self._stop = stop
        self._samples = 0
        self._packer = Packer(self.note)

    def sample(self, fields: dict[str, Any], first: float, every: float) -> None:
        """Append one sample of a probe with that grid; in a long run, with others of its like."""
        self._samples += 1
        if self._samples <= ONE_BY_ONE:
            self.note("sample", **fields)
        elif self._packer.add(fields, first, every, asyncio.get_running_loop().time()):
            self.journal.tell("sample", **fields)

    def flush(self) -> None:
        """Append the samples that are held back."""
        self._packer.flush()

    def note(self, event: str, **fields: object) -> None:
        """Append one event."""
        try:
            self.journal.write(event, **fields)
        except JournalFailed as error:
            if not self._stop.requested:
                self._stop.request(str(error))

    async def note_durably(self, event: str, **fields: object) -> None:
        """Append one event, out of the journal's reserve if need be, and to the copy outside."""
        with contextlib.suppress(JournalFailed):
            await tell_outside(self.journal, await self.journal.write_durably(event, **fields))

    async def note_stops(self) -> None:
        """Append why the run is to end, if it is."""
        with contextlib.suppress(JournalFailed):
            while self._stop.unrecorded:
                why, at = self._stop.unrecorded[0]
                since = asyncio.get_running_loop().time() - at
                asked = round(self.journal.now() - since, 6)
                await self.journal.write_durably("stop", why=why, asked=asked)
                del self._stop.unrecorded[0]
