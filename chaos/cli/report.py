"""`chaos report`: verdict and reports, computed again from a journal."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chaos.cli import options
from chaos.runs import Runs


@click.command("report")
@options.run
@options.runs
@options.as_json
@options.metrics_file
def command(run: str, runs: Runs, as_json: bool, metrics_file: Path | None) -> None:
    """Judge a run again from its journal.

    Its reports are written anew, beside the journal, which may come from another machine. The exit
    code is that of the run. RUN is an id, a part of one, "latest", or the path of a journal.

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
    sys.exit(conclude(journal, as_json=as_json, metrics_file=metrics_file))
