"""`chaos mark`: say that what a run has asked people to do is done."""

from __future__ import annotations

import click

from chaos.cli import options
from chaos.cli.say import say
from chaos.runs import Runs


@click.command("mark")
@options.run
@options.runs
@click.option(
    "--task",
    metavar="TEXT",
    help="Which one, when it waits for more than one: a part of what was to do.",
)
def command(run: str, runs: Runs, task: str | None) -> None:
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
    marks = marks_beside(journal)
    waiting = [waits for waits in marks.waiting() if task is None or task in waits[0]]
    if not waiting:
        of_it = "" if task is None else f" that has {task!r} in it"
        raise InvalidInput(f"{journal}: nothing{of_it} waits for a mark")
    if len(waiting) > 1:
        told = ", ".join(f"{task!r} ({state})" for task, state in waiting)
        raise InvalidInput(f"{journal}: more than one waits for a mark: {told}; give a --task")
    say(marks.mark(*waiting[0]))
