"""`chaos stop`: end a run of another process; everything goes back."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from chaos.cli import options
from chaos.cli.say import say, say_json
from chaos.runs import Runs

# Seconds after which a run is no longer waited for; people may take long to undo what they did.
WAIT_S = 900.0
LOOK_EVERY_S = 0.1
UNKNOWN, INCOMPLETE = 3, 4


@click.command("stop")
@options.run
@options.runs
@click.option("--why", default="", metavar="TEXT", help="What the run's reports say about it.")
@click.option("--no-wait", is_flag=True, help="Only ask; do not wait until everything is back.")
@options.as_json
def command(run: str, runs: Runs, why: str, no_wait: bool, as_json: bool) -> None:
    """Stop RUN, which goes on in another process of this machine: everything goes back at once.

    It waits until everything is back, and says how long that took: exit code 0, or 4 when
    something is not. A run that is over already cannot be stopped: exit code 2. RUN is an id, a
    part of one, "latest", or the path of a journal.

    \b
    Example:
      chaos stop latest --why "checkout is down for customers"
    """
    from chaos.wishes import ask

    journal = runs.find(run)
    _refuse_what_is_over(journal)
    ask(journal, why)
    if no_wait:
        _tell(f"{journal}: asked to stop", {"journal": journal, "over": False}, as_json)
        return
    if not asyncio.run(_over(journal)):
        _tell(f"{journal}: still goes on", {"journal": journal, "over": False}, as_json)
        sys.exit(UNKNOWN)
    sys.exit(_conclude(journal, as_json))


def _refuse_what_is_over(journal: Path) -> None:
    from chaos.errors import InvalidInput
    from chaos.journal import in_use, read

    ended = any(event["event"] == "end" for event in read(journal, salvage=True))
    if ended or not in_use(journal):
        raise InvalidInput(
            f"{journal}: the run is over already; chaos rollback --check {journal.parent} tells"
            " whether it has left anything open"
        )


async def _over(journal: Path) -> bool:
    """Return when nobody has the journal any more; False when that takes too long."""
    from chaos.journal import in_use

    try:
        async with asyncio.timeout(WAIT_S):
            while journal.exists() and in_use(journal):  # noqa: ASYNC110, ASYNC240
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        return False
    return True


def _conclude(journal: Path, as_json: bool) -> int:
    """Say how it ended; returns the exit code."""
    from chaos.history import load
    from chaos.journal import read
    from chaos.report.words import stopped

    told = {"journal": journal, "over": True, "stops": [], "back_after": None, "left": []}
    if not journal.exists() or not read(journal, salvage=True):
        _tell("it was stopped before anything was touched", told, as_json)
        return 0
    history = load(journal, salvage=True)
    left = [pull.pull for pull in history.open_pulls]
    told |= {"stops": history.stops, "back_after": history.back_after, "left": left}
    by_itself = "it had ended by itself" if history.finished else "it died before its end"
    _tell(stopped(history) or by_itself, told, as_json)
    if left and not as_json:
        say(f"{len(left)} not put back; mend the cause, then: chaos rollback {journal}")
    return INCOMPLETE if left else 0


def _tell(text: str, told: dict[str, object], as_json: bool) -> None:
    if as_json:
        say_json(told)
    else:
        say(text)
