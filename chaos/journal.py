"""The journal: what happened, one JSON line an event, in the order it happened.

It is append-only. An event that must survive (a pull, before the lever is set) is written with
`write_durably`, which returns only when the disk has it. A process may die at any byte: a torn
last line was never acted upon, so reading ignores it and reopening cuts it off.

Every line: `n` (counts from 0), `t` (loop seconds since the run's start), `event`, its fields.
docs/journal.md lists the events.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from chaos import private
from chaos.errors import InjectionFailed, InvalidInput, JournalFailed
from chaos.secrets import SECRETS

Event = dict[str, Any]
Hole = tuple[int, int]  # a line that cannot be read: its number, and how many events are before it
VERSION = 1
# Kept free beside the journal, so that a full disk still takes the record of the rollback.
RESERVE = 256 * 1024
# What a rollback has to find as it was, so that it cannot be masked, by the event that tells it.
AS_IT_WAS = {"run": ("run", "environment"), "pull": ("account", "lever", "prior", "value")}

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Journal:
    """An open journal. All writes come from one thread: that of the loop."""

    def __init__(self, path: Path, fd: int, *, n: int, clock: Callable[[], float]) -> None:
        self.path = path
        self.watchers: list[Callable[[Event], None]] = []  # told of each event once it is written
        # Keeps a copy elsewhere of what must outlive this machine; raises JournalFailed.
        self.outside: Callable[[Event], Awaitable[None]] | None = None
        self.copying = asyncio.Lock()  # one event at a time
        self.behind = False  # whether it was told that the copy lacks something
        self.full = False  # whether it lives on its reserve, which is for what must not be lost
        self._fd = fd
        self._n = n
        self._clock = clock
        self._end = os.fstat(fd).st_size
        self._reserve = path.with_suffix(".reserve")

    @classmethod
    def create(cls, path: Path, clock: Callable[[], float]) -> Journal:
        """Begin a new journal at `path`; its directory is made. Raises JournalFailed."""
        try:
            private.directory(path.parent)
            fd = private.create(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        except OSError as error:
            raise _cannot("write", path, error) from error
        journal = cls(path, fd, n=0, clock=clock)
        try:
            _claim(path, fd)
            for directory in (path.parent, path.parent.parent):
                _sync_directory(directory)
            os.close(private.create(journal._reserve, os.O_WRONLY | os.O_CREAT))
            journal._reserve.write_bytes(bytes(RESERVE))
        except OSError as error:
            journal.close()
            path.unlink(missing_ok=True)
            raise _cannot("write", path, error) from error
        return journal

    @classmethod
    def reopen(cls, path: Path, clock: Callable[[], float]) -> Journal:
        """Continue a journal; a torn last line is cut off. `clock` counts from its last event."""
        try:
            fd = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            hint = " (copy it to where it can be written, and give that)" if path.is_file() else ""
            raise JournalFailed(f"{_cannot('write', path, error)}{hint}") from error
        try:
            _claim(path, fd)  # before it is read: whoever has it may still be writing
            events, good, _ = _read(path, salvage=True)
            os.ftruncate(fd, good)
        except OSError as error:
            os.close(fd)
            raise _cannot("write", path, error) from error
        except JournalFailed:
            os.close(fd)
            raise
        last = events[-1]["t"] if events else 0.0
        return cls(path, fd, n=len(events), clock=lambda: last + clock())

    def now(self) -> float:
        """The time that an event would have now, in seconds."""
        return round(self._clock(), 6)

    def write(self, event: str, /, **fields: Any) -> Event:
        """Append one event, without what is secret, and return it as it was written.

        Raises JournalFailed (disk full, file gone) with nothing half-kept, and InjectionFailed or
        InvalidInput for what can be put back only by whoever knows a secret in it.
        """
        entry, line = self._entry(event, fields)
        try:
            self._append(line.encode() + b"\n")
        except OSError as error:
            raise _cannot("write", self.path, error) from error
        self._n += 1
        for watcher in self.watchers:
            watcher(entry)
        return entry

    def tell(self, event: str, /, **fields: Any) -> None:
        """Tell watchers of an event that is written later, together with others."""
        entry, _ = self._entry(event, fields)
        for watcher in self.watchers:
            watcher(entry)

    async def write_durably(self, event: str, /, **fields: Any) -> Event:
        """Append one event and return when the disk has it, and all before it.

        What must not be lost may use the reserve: it is given up when the disk is full.
        """
        try:
            entry = self.write(event, **fields)
        except JournalFailed:
            if not self._reserve.exists():
                raise
            try:
                self._reserve.unlink()
            except OSError as error:
                raise _cannot("write", self.path, error) from error
            self.full = True
            entry = self.write(event, **fields)
        await self.sync()
        return entry

    async def sync(self) -> None:
        """Return when the disk has all that was written; raises JournalFailed."""
        try:
            await asyncio.to_thread(os.fsync, self._fd)
        except OSError as error:
            raise _cannot("write", self.path, error) from error

    def close(self) -> None:
        """Give the file and the reserve back; writing afterwards is an error."""
        with contextlib.suppress(OSError):
            self._reserve.unlink(missing_ok=True)
            os.fsync(self._fd)
        os.close(self._fd)

    def _entry(self, event: str, fields: Event) -> tuple[Event, str]:
        """The event as it is written, and its line, without what is secret."""
        entry = {"n": self._n, "t": self.now(), "event": event, **fields}
        line = _encode(entry)
        if SECRETS.may_be_in(line):
            entry = _masked(entry)
            line = _encode(entry)
        return entry, line

    def _append(self, line: bytes) -> None:
        """All of the line or none of it: what a full disk took half of is cut off again."""
        written = 0
        try:
            while written < len(line):
                written += os.write(self._fd, line[written:])
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end += len(line)


def read(path: Path, *, salvage: bool = False) -> list[Event]:
    """All whole events of the journal at `path`, oldest first; raises JournalFailed.

    `salvage` leaves out lines that cannot be read (a power cut may leave zeros in the middle): a
    rollback takes what there is. A verdict must not.
    """
    return _read(path, salvage=salvage)[0]


def parse(data: bytes, path: Path) -> list[Event]:
    """The same of a journal's bytes; `path` is what errors call it."""
    return _parsed(data, path, salvage=False)[0]


def salvaged(path: Path) -> tuple[list[Event], list[Hole]]:
    """What can be read of it, and where something cannot; raises JournalFailed."""
    events, _, holes = _read(path, salvage=True)
    return events, holes


def _read(path: Path, *, salvage: bool) -> tuple[list[Event], int, list[Hole]]:
    """The events, how many bytes of the file are whole lines, and what was left out."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _cannot("read", path, error) from error
    return _parsed(data, path, salvage=salvage)


def _parsed(data: bytes, path: Path, *, salvage: bool) -> tuple[list[Event], int, list[Hole]]:
    good = data.rfind(b"\n") + 1
    events: list[Event] = []
    holes: list[Hole] = []
    for number, line in enumerate(data[:good].splitlines(), 1):
        try:
            event = json.loads(line)
            events.append({"n": event["n"], "t": event["t"], "event": event["event"], **event})
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            if not salvage:
                raise JournalFailed(f"{path}:{number}: not a line of a journal") from error
            holes.append((number, len(events)))
    return events, good, holes


def in_use(path: Path) -> bool:
    """Whether the run with that journal still goes on."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        raise _cannot("read", path, error) from error
    return False


def _masked(entry: Event) -> Event:
    """The entry without what is secret; raises for what must stay as it is."""
    event = entry["event"]
    for name in AS_IT_WAS.get(event, ()):
        if SECRETS.are_in(entry.get(name)):
            failed = InvalidInput if event == "run" else InjectionFailed
            raise failed(
                f"a secret is in the {name} of the {event}, and the journal keeps none, so nothing"
                " could be put back with it; keep it out of what is pulled, or use another value"
            )
    masked: Event = SECRETS.mask_all(entry)
    return masked


def _claim(path: Path, fd: int) -> None:
    """One writer at a time; the claim ends with the process, however that ends."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise JournalFailed(
            f"{path}: the run still goes on in another process; stop that one first (Ctrl-C there)"
        ) from error


def _cannot(do: str, path: Path, error: OSError) -> JournalFailed:
    return JournalFailed(f"{path}: cannot {do} the journal: {error.strerror}")


def _sync_directory(path: Path) -> None:
    """A new file's name must be on disk too, or a power cut takes the whole journal."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
