"""What a run shows while it goes on: plain lines, or a live view where there is a terminal."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from chaos.cli.progress import Printer
from chaos.journal import Event

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
