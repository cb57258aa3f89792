"""What a run shows while it goes on: plain lines, or a live view where there is a terminal."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, Self

from chaos.cli.say import say
from chaos.journal import Event
from chaos.report.progress import Progress

# A terminal that is held (Ctrl-S, a pager) must not hold the run: further lines are left out.
WAITING = 1000
# How long the end of a run waits for a reader that has not read all, in seconds of the wall.
PATIENCE_S = 2.0

# The values of TERM, and its absence, that tell of a terminal that cannot move its cursor.
DUMB = ("dumb", "unknown", "", None)

log = logging.getLogger("chaos")


class View(Protocol):
    """Takes each event of a run while it is entered; returns at once and raises nothing."""

    def __call__(self, event: Event, /) -> None: ...

    def join(self, timeout: float | None = None) -> None:
        """Return when all is shown, however long the terminal is held, or after `timeout`."""


def follow(*, plain: bool, to_stderr: bool) -> AbstractContextManager[View]:
    """The view that fits: live on a terminal, unless plain lines are wanted."""
    if plain or to_stderr or not sys.stdout.isatty() or os.environ.get("TERM") in DUMB:
        return Printer(to_stderr=to_stderr)
    from chaos.cli.live import LiveView  # rich is imported for those alone who see it

    return LiveView()


def safely(view: Callable[[Event], None]) -> Callable[[Event], None]:
    """The same view; a defect of it ends it, with its traceback, and not the run."""
    broken = False

    def take(event: Event) -> None:
        nonlocal broken
        if broken:
            return
        try:
            view(event)
        except Exception:
            broken = True
            log.exception("a view of the run has ended at the event %s", event["event"])

    return take


class Printer:
    """Prints a line for each event that people should see, from a thread of its own."""

    def __init__(self, *, to_stderr: bool = False) -> None:
        self._to_stderr = to_stderr
        self._progress = Progress()
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._print, name="printer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.put_nowait(None)
        self.join(PATIENCE_S)

    def __call__(self, event: Event) -> None:
        """Take an event; returns at once, whatever becomes of the line."""
        try:
            line = self._progress.line(event)
        except Exception:  # a defect of a view must not become one of the run
            log.exception("no line for the event %s", event["event"])
        else:
            if line is not None and self._lines.qsize() < WAITING:
                self._lines.put_nowait(line)

    def join(self, timeout: float | None = None) -> None:
        """Return when all is printed, or after so many seconds of the wall."""
        self._thread.join(timeout)

    def _print(self) -> None:
        while (line := self._lines.get()) is not None:
            say(line, to_stderr=self._to_stderr)
