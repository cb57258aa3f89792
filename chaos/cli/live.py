"""The live view: a panel at the terminal's foot, above which the plain lines scroll."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Self

from rich.console import Console, Group
from rich.live import Live as Display
from rich.text import Text

from chaos.cli.panel import panel, room
from chaos.cli.progress import PATIENCE_S, WAITING
from chaos.cli.say import say
from chaos.journal import Event
from chaos.report.frame import frame
from chaos.report.live import Live, fold
from chaos.report.progress import ASKED, Progress

PERIOD_S = 0.25  # of the wall, between two frames

log = logging.getLogger("chaos")


class LiveView:
    """Takes events at once, whatever becomes of them, and draws in a thread of its own.

    A terminal that is held holds that thread alone. `clock` counts seconds of the wall, of which
    `period` lie between two frames.
    """

    def __init__(
        self,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
        period: float = PERIOD_S,
    ) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False, markup=False)
        self._display = Display(
            console=self.console,
            auto_refresh=False,
            # Whoever prints meanwhile must not wait for the terminal because of this view.
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._clock = clock
        self._period = period
        self._progress = Progress()
        self._lines: deque[str] = deque(maxlen=WAITING)  # those that are too many are left out
        self._seen: tuple[Live | None, float] = None, 0.0  # the run, and the clock's time then
        self.broken = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live view", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(PATIENCE_S)

    def join(self, timeout: float | None = None) -> None:
        """Return when all is drawn, or after so many seconds of the wall."""
        self._thread.join(timeout)

    def __call__(self, event: Event) -> None:
        """Take an event; returns at once, whatever becomes of it."""
        try:
            line = self._progress.line(event)
            if line is not None:
                self._lines.append(line)
            if not self.broken:
                self._seen = fold(self._seen[0], event), self._clock()
        except Exception:  # a defect of a view must not become one of the run
            self.broken = True
            log.exception("the event %s cannot be shown", event["event"])

    def _watch(self) -> None:
        try:
            while not self._over.wait(self._period):
                self.draw()
            self.draw()
        except Exception:  # the same; the terminal may be gone, too
            self.broken = True
            log.exception("the live view has ended; plain lines go on")
        with contextlib.suppress(Exception):
            self._display.stop()
        self._go_on_plainly()

    def draw(self) -> None:
        """Print the lines that are new, and the run as it is now below them."""
        while self._lines:
            line = self._lines.popleft()
            style = "bold yellow" if ASKED in line else ""
            self.console.print(Text(line, style=style), soft_wrap=True)
        live, at = self._seen
        if live is None:
            return
        if self.broken:
            raise RuntimeError("what is shown would be old")
        if not self._display.is_started:
            self._display.start()
        now = live.t + (self._clock() - at) * live.header["speed"]
        self._display.update(self._panel(live, now), refresh=True)

    def _panel(self, live: Live, now: float) -> Group:
        size, ascii_only = self.console.size, self.console.options.ascii_only
        place = room(size.width, size.height, live.probes, ascii_only=ascii_only)
        return panel(frame(live, now, place.cells), place)

    def _go_on_plainly(self) -> None:
        """Lines that have not been shown, until the run is over."""
        while True:
            over = self._over.wait(self._period)
            while self._lines:
                say(self._lines.popleft())
            if over:
                return
