"""`chaos history`: what became of the runs before."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chaos.cli import layout, options
from chaos.cli.say import say, say_json
from chaos.environments import KINDS
from chaos.runs import Runs

if TYPE_CHECKING:
    from chaos.results import Location, RunResult


MOST = 100_000  # runs that are told at once


def _since(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    """A date, or so long ago, as the history has its times."""
    if given is None:
        return None
    from probes.durations import TEN_YEARS, parse

    try:
        then = datetime.now(UTC) - timedelta(seconds=parse(given, TEN_YEARS))
    except ValueError:
        try:
            then = datetime.fromisoformat(given)
        except ValueError as error:
            why = f"{given!r} is neither a duration such as 14d nor a date such as 2026-11-21"
            raise click.BadParameter(why) from error
    try:
        then = then.replace(tzinfo=then.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:
        raise click.BadParameter(f"{given!r} is a date that UTC does not have") from error
    return then.isoformat(timespec="milliseconds")


@click.command("history")
@click.argument("experiment", required=False)
@click.option("--environment", type=click.Choice(KINDS), help="Only runs there.")
@click.option("--sha", metavar="HEX", help="Only runs of that text of the experiment (sha256).")
@click.option(
    "--since",
    callback=_since,
    metavar="WHEN",
    help="Only runs begun since that date (UTC), or so long ago, such as 14d.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=20,
    show_default=True,
    help="How many runs are told at most, the newest ones.",
)
@click.option(
    "--import",
    "source",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="RUNS",
    help="Take the runs of that directory in, or in anew, from their journals; nothing else.",
)
@options.runs
@options.history
@options.as_json
def command(
    experiment: str | None,
    environment: str | None,
    sha: str | None,
    since: str | None,
    limit: int,
    source: Path | None,
    runs: Runs,
    history: str | None,
    as_json: bool,
) -> None:
    """Show what became of the runs before, of EXPERIMENT (its name) or of all, newest last.

    Each with when and where it ran, its verdict, and what was measured of each promise. Times of
    runs at other speeds or in other environments mean something else: both are told. A figure in
    brackets proves nothing: the run did not go as planned, or no verdict could be built on it.

    \b
    Example:
      chaos history region-outage --since 14d
      chaos history --import old-runs --history postgresql://ci@db.example/drills
    """
    from chaos import results
    from chaos.cli.compare_json import plain
    from chaos.errors import InvalidInput

    keep = history or str(runs.history)
    location = results.located(keep)
    if location is None:
        raise InvalidInput("--history none keeps nothing, so there is nothing to show or take in")
    if source is not None:
        sys.exit(_import(Runs(source), location, as_json))
    wanted = {"environment": environment, "sha256": sha and sha.lower(), "since": since}
    found = results.runs(keep, limit=limit, experiment=experiment, **wanted)
    if as_json:
        say_json({"history": str(location), "runs": plain(found)})
    elif found:
        say(layout.table([_row(run) for run in found], layout.table_width()))
    else:
        click.echo(f"there is no such run in {location}", err=True)
    _tell_missing(runs, location)


def _row(run: RunResult) -> tuple[str, ...]:
    from chaos.cli.compare_text import when

    speed = "" if run.speed == 1 else f", speed {run.speed:g}"
    figures = "; ".join(_figures(run)) or run.reason
    return when(run), run.run, f"{run.place}{speed}", run.value, figures


def _figures(run: RunResult) -> list[str]:
    from chaos import results
    from chaos.report import words
    from chaos.verdict.rules import RECOVER_WITHIN

    told = []
    for r in run.results:
        if r.objective == RECOVER_WITHIN and r.value != "broken":
            continue
        text = words.measured(r)
        nothing = r.probe in run.doubted or (r.measured and results.badness(r) is None)
        figure = f"({text})" if nothing else text
        told.append(f"{r.probe} {words.OBJECTIVES[r.objective]} {figure}")
    return told


def _tell_missing(runs: Runs, location: Location) -> None:
    """A run that was killed, or is older than the history, is not in it."""
    from chaos import results
    from chaos.journal import in_use
    from chaos.report.words import count

    known: frozenset[str] = frozenset()
    if location.path is None or location.path.exists():
        with results.opened(location, create=False) as store:
            known = store.ids()
    missing = [run for run in runs.all() if run not in known and not in_use(runs.journal(run))]
    if missing:
        told = (
            f"{count(len(missing), 'run')} of {runs.directory} not in it; to take all of them in:"
        )
        click.echo(f"{told} chaos history --import {runs.directory}", err=True)


def _import(source: Runs, location: Location, as_json: bool) -> int:
    """Fold every journal there is into the history; 2 where one of them cannot be told."""
    from chaos import results
    from chaos.report.words import count
    from chaos.results import folding

    told: dict[str, list[Any]] = {"imported": [], "problems": []}
    with results.opened(location) as store:
        for found in folding.all_of(source, store):
            kind = "imported" if isinstance(found, str) else "problems"
            told[kind].append(str(found))
    if as_json:
        say_json({"history": str(location), **told})
    else:
        say(f"{count(len(told['imported']), 'run')} taken into {location}")
        for problem in told["problems"]:
            click.echo(f"left out: {problem}", err=True)
    return 2 if told["problems"] else 0
