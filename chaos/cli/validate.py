"""`chaos validate`: whether experiment files are right. Nothing is started or touched."""

from __future__ import annotations

import click

from chaos.cli.say import say
from chaos.errors import InvalidInput


@click.command("validate")
@click.argument("experiments", nargs=-1, required=True, metavar="EXPERIMENT...")
def command(experiments: tuple[str, ...]) -> None:
    """Check experiment files, and tell all that is wrong at once.

    \b
    Example:
      chaos validate region-outage.yaml drills/*.yaml
    """
    from chaos import experiment, library

    problems: list[str] = []
    for name in experiments:
        try:
            path = library.find(name)
            experiment.load_lab(experiment.load(path), path)
        except InvalidInput as error:
            problems += error.problems
        else:
            say(f"{path}: valid")
    if problems:
        raise InvalidInput(*problems)
