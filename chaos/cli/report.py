"""`chaos report`: verdict and reports, computed again from a journal."""

from __future__ import annotations

import sys

import click

from chaos.cli import options
from chaos.runs import Runs


@click.command("report")
@options.run
@options.runs
def command(run: str, runs: Runs) -> None:
    """Judge a run again from its journal and write its reports beside it.

    RUN is an id, a part of one, "latest", or the path of a journal; the journal may come from
    another machine. The exit code is that of the run.

    \b
    Example:
      chaos report latest
    """
    from chaos.cli.ending import conclude
    from chaos.errors import InvalidInput
    from chaos.journal import in_use

    journal = runs.find(run)
    if in_use(journal):
        raise InvalidInput(f"{journal}: the run still goes on; it is judged when it has ended")
    sys.exit(conclude(journal))
