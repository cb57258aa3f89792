"""`chaos mark`: say that what a run has asked people to do is done."""

from __future__ import annotations

import re
from pathlib import Path

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
@click.option(
    "--as",
    "what",
    metavar="NAME",
    help="Mark something else that has happened, by a name such as detected or decided.",
)
def command(run: str, runs: Runs, task: str | None, what: str | None) -> None:
    """Mark what RUN waits for: that a fault of kind `external` is done, or undone.

    With --as, mark what people have found out or decided meanwhile: the experiment's `marks` say
    how soon that was promised, and the reports show it. RUN is an id, a part of one, "latest", or
    the path of a journal. Call it at the moment at which the thing happens: times are measured by
    that.

    \b
    Example:
      chaos mark latest
      chaos mark latest --as decided
    """
    from chaos.errors import InvalidInput

    if task is not None and what is not None:
        raise InvalidInput(
            "--task is for what the run waits for, --as for what it does not: give one"
        )
    journal = runs.find(run)
    say(_task(journal, task) if what is None else _said(journal, what))


def _task(journal: Path, task: str | None) -> str:
    from chaos.environments.attended import marks_beside
    from chaos.errors import InvalidInput

    marks = marks_beside(journal)
    waiting = [waits for waits in marks.waiting() if task is None or task in waits[0]]
    if not waiting:
        of_it = "" if task is None else f" that has {task!r} in it"
        raise InvalidInput(
            f"{journal}: nothing{of_it} waits for a mark; --as NAME marks something else"
        )
    if len(waiting) > 1:
        told = ", ".join(f"{task!r} ({state})" for task, state in waiting)
        raise InvalidInput(f"{journal}: more than one waits for a mark: {told}; give a --task")
    return marks.mark(*waiting[0])


def _said(journal: Path, what: str) -> str:
    from chaos.errors import InvalidInput
    from chaos.experiment.objectives import NAME
    from chaos.history import load
    from chaos.journal import in_use
    from chaos.marks import leave
    from chaos.who import who

    if not re.fullmatch(NAME, what):
        raise InvalidInput(f"{what[:60]!r} is no name; use small letters, digits, - and _")
    if not in_use(journal):
        raise InvalidInput(f"{journal}: the run is over, and what happens now is not of it")
    leave(journal, what, who())
    promised = load(journal).experiment.get("marks", {})
    others = "" if what in promised or not promised else f"; promised is {', '.join(promised)}"
    return f"marked: {what}{others}"
