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
    from chaos.cli.say import say
    from chaos.drill import Drill
    from chaos.errors import ChaosError
    from chaos.rollback import incomplete

    drill = Drill(library.find(experiment), speed=speed)
    title = drill.experiment.title or drill.experiment.name
    say(f"{title}\nstarting the {environment} environment …")
    with Printer() as printer:
        journal, pulls = drill.run(runs, printer)
    code = 3
    try:
        code = conclude(journal)
    except ChaosError as error:
        click.echo(str(error), err=True)
    finally:
        # The journal may have missed something, or be gone; what is known here counts.
        if left := incomplete(pulls):
            say(f"{len(left)} levers are not back; run: chaos rollback {journal}")
            sys.exit(4)
    sys.exit(code)
