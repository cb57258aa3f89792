"""`chaos run`: carry an experiment out."""

from __future__ import annotations

import sys

import click

from chaos.cli import options
from chaos.runs import Runs


@click.command("run")
@options.experiment
@options.environment
@options.speed
@options.runs
def command(experiment: str, environment: str, speed: float, runs: Runs) -> None:
    """Carry EXPERIMENT out: break, measure, put back, judge.

    EXPERIMENT is a path, a file in ./experiments, or one of those that `chaos list` shows. The
    run is kept with its journal and reports. Ctrl-C puts everything back and ends it.

    \b
    Example:
      chaos run region-outage.yaml --speed 8
    """
    from chaos import library
    from chaos.cli.ending import conclude
    from chaos.cli.progress import Printer
    from chaos.drill import Drill
    from chaos.rollback import incomplete

    drill = Drill(library.find(experiment), speed=speed)
    title = drill.experiment.title or drill.experiment.name
    click.echo(f"{title}\nstarting the {environment} environment …")
    journal, pulls = drill.run(runs, Printer())
    code = conclude(journal)
    # The journal may have missed something (a full disk); what is known here counts.
    sys.exit(4 if incomplete(pulls) else code)
