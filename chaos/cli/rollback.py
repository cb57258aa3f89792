"""`chaos rollback`: put back what a run has left open."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import click

from chaos.cli import layout, options
from chaos.cli.orphans_options import OWN, or_orphans
from chaos.cli.say import say, say_json
from chaos.runs import Runs

if TYPE_CHECKING:
    from pathlib import Path

    from chaos.history import Pull

INCOMPLETE = 4
LOST = (
    "the journal is damaged; the undo log of an account, if there is one, may have it: chaos"
    " rollback --orphans"
)


SECTIONS = {"With --orphans": ("orphans", *OWN)}


@click.command("rollback", cls=layout.Sections, sections=SECTIONS)
@options.runs
@options.profile
@options.as_json
@click.option(
    "--check", is_flag=True, help="Only tell what is open and what would be done; change nothing."
)
@or_orphans
def command(run: str, runs: Runs, profile: str | None, as_json: bool, check: bool) -> None:
    """Put back whatever RUN has left open.

    That is what to do after a crash, a kill, or exit code 4, as often as you like, from any
    process that can reach the environment. RUN is an id, a part of one, "latest", or the path of
    a journal.

    \b
    Example:
      chaos rollback latest --check
      chaos rollback latest
      chaos rollback --orphans --undo-log s3://chaos-custody/undo
    """
    from chaos.custody.orphans import resume_minded
    from chaos.history import load
    from chaos.rollback import incomplete

    path = runs.find(run)
    if check:
        from chaos.cli.check import check as tell

        sys.exit(tell(path, profile, as_json=as_json))
    try:
        pulls = asyncio.run(resume_minded(path, partial(click.echo, err=True), profile=profile))
    except KeyboardInterrupt:
        say(f"stopped: not all is put back; to go on: chaos rollback {path}", to_stderr=True)
        sys.exit(INCOMPLETE)
    left, lost = incomplete(pulls), load(path, salvage=True).lost
    if as_json:
        told = [asdict(pull) for pull in pulls]
        numbers = [pull.pull for pull in left]
        say_json({"journal": path, "pulls": told, "left": numbers, "lost": lost})
    else:
        _tell(pulls, left, lost, path)
    sys.exit(INCOMPLETE if left or lost else 0)


def _tell(pulls: Sequence[Pull], left: Sequence[Pull], lost: Sequence[str], path: Path) -> None:
    from chaos.history import lever_name, setting
    from chaos.report.words import OUTCOMES

    for pull in pulls:
        told = f"{lever_name(pull.lever)}: {OUTCOMES[pull.outcome]}"
        if pull.outcome == "conflict":
            told += f" (reads {setting(pull.found)}, was {setting(pull.prior)})"
        say(f"{told}: {pull.error}" if pull.error else told)
    for what in lost:
        say(what)
    if lost:
        say(LOST)
    if left:
        say(f"{len(left)} not put back; mend the cause, then: chaos rollback {path}")
    elif not lost:
        say("nothing is left open" if pulls else "nothing was left open")
