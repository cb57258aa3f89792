"""The plain lines that a run prints while it goes on."""

from __future__ import annotations

import click

from chaos.journal import Event
from chaos.report.terminal import Progress


class Printer:
    """Prints a line for each event that people should see."""

    def __init__(self) -> None:
        self._progress = Progress()
        self._heard = True

    def __call__(self, event: Event) -> None:
        line = self._progress.line(event)
        if line is None or not self._heard:
            return
        try:
            click.echo(line)
        except OSError:
            self._heard = False  # the reader has gone (`| head`); the run must not go with it
