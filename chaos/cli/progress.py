"""The plain lines that a run prints while it goes on."""

from __future__ import annotations

import logging
import queue
import threading
from typing import Self

from chaos.cli.say import say
from chaos.journal import Event
from chaos.report.progress import Progress

# A terminal that is held (Ctrl-S, a pager) must not hold the run: further lines are left out.
WAITING = 1000
# How long the end of a run waits for a reader that has not read all, in seconds of the wall.
PATIENCE_S = 2.0

log = logging.getLogger("chaos")


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
