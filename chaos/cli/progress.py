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
        try:
            line = self._progress.line(event)
            if line is not None and self._heard:
                click.echo(line)
        except Exception:  # noqa: BLE001  # the reader has gone (`| head`), or a line cannot be
            self._heard = False  # made: the run, and above all its rollback, must not go with it
