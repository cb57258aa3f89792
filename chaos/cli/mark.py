"""`chaos mark`: say that what a run has asked people to do is done."""

from __future__ import annotations

import click

from chaos.cli import options
from chaos.cli.say import say
from chaos.runs import Runs


@click.command("mark")
@options.run
@options.runs
def command(run: str, runs: Runs) -> None:
    """Mark what RUN waits for: that a fault of kind `external` is done, or undone.

    RUN is an id, a part of one, "latest", or the path of a journal. Call it at the moment at which
    the thing happens: the clocks of the objectives start then.

    \b
    Example:
      chaos mark latest
    """
    from chaos.environments.attended import marks_beside
    from chaos.errors import InvalidInput

    journal = runs.find(run)
    marked = marks_beside(journal).mark()
    if not marked:
        raise InvalidInput(f"{journal}: nothing waits for a mark")
    for sentence in marked:
        say(sentence)
