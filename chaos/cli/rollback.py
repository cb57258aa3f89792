"""`chaos rollback`: put back what a run has left open."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import click

from chaos.cli import options
from chaos.cli.say import say
from chaos.runs import Runs


@click.command("rollback")
@options.run
@options.runs
def command(run: str, runs: Runs) -> None:
    """Put back whatever RUN has left open: after a crash, a kill, or exit code 4.

    RUN is an id, a part of one, "latest", or the path of a journal. It may be called as often
    as you like, and from any process that can reach the environment.

    \b
    Example:
      chaos rollback latest
    """
    from chaos.history import lever_name, setting
    from chaos.report.words import OUTCOMES
    from chaos.rollback import incomplete, resume

    path = runs.find(run)
    pulls = asyncio.run(resume(path, partial(click.echo, err=True)))
    for pull in pulls:
        told = f"{lever_name(pull.lever)}: {OUTCOMES[pull.outcome]}"
        if pull.outcome == "conflict":
            told += f" (reads {setting(pull.found)}, was {setting(pull.prior)})"
        say(f"{told}: {pull.error}" if pull.error else told)
    if left := incomplete(pulls):
        say(f"{len(left)} not put back; mend the cause, then: chaos rollback {path}")
        sys.exit(4)
    say("nothing is left open" if pulls else "nothing was left open")
