"""The options of `chaos rollback --orphans`, and what they may not be given without."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from chaos.cli import completions, options
from chaos.runs import Runs
from probes.durations import parse

EVERY = "15s"


def _duration(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    try:
        seconds = parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if seconds < 1:
        raise click.BadParameter("look no more often than once a second")
    return seconds


_OPTIONS = (
    click.argument("run", metavar="[RUN]", required=False, shell_complete=completions.runs),
    click.option(
        "--orphans",
        is_flag=True,
        help="Instead of RUN: all runs in the undo log that have lost their runner, from any"
        " machine with credentials.",
    ),
    options.undo_log,
    options.of_account,
    click.option("--yes", is_flag=True, help="Put back without asking."),
    click.option(
        "--take-over",
        metavar="RUN",
        multiple=True,
        help="This run too, though somebody seems to be at work on it.",
    ),
    click.option(
        "--forget",
        metavar="RUN",
        help="Leave what that run has open as it is, and keep nothing of it.",
    ),
    click.option(
        "--watch",
        is_flag=True,
        help="Go on looking, and put back without asking whatever loses its"
        " runner: the dead man's switch.",
    ),
    click.option(
        "--every",
        metavar="TIME",
        default=EVERY,
        show_default=True,
        callback=_duration,
        help="With --watch: how often to look.",
    ),
)


def or_orphans(command: Callable[..., None]) -> Callable[..., None]:
    """The command with RUN and these options; with `--orphans` it is not called at all."""

    @functools.wraps(command)
    def wrapped(run: str | None, orphans: bool, runs: Runs, **given: Any) -> None:
        own = {name: given.pop(name) for name in OWN}
        if orphans == (run is not None):
            raise click.UsageError("give either RUN or --orphans")
        if not orphans:
            _refuse(own)
            command(run=run, runs=runs, **given)
            return
        sys.exit(_orphans(own, runs, given))

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


OWN = ("undo_log", "endpoint", "yes", "take_over", "forget", "watch", "every")


def _refuse(own: dict[str, Any]) -> None:
    for name in ("yes", "take_over", "forget", "watch"):
        if own[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --orphans")


def _orphans(own: dict[str, Any], runs: Runs, given: dict[str, Any]) -> int:
    from chaos.cli import orphans, warden

    wanted = orphans.Wanted(
        undo_log=own["undo_log"],
        endpoint=own["endpoint"],
        profile=given["profile"],
        check=given.get("check", False),
        yes=own["yes"],
        take_over=own["take_over"],
        forget=own["forget"],
        as_json=given["as_json"],
    )
    if not own["watch"]:
        return orphans.run(wanted, runs)
    if wanted.check or wanted.take_over or wanted.forget or wanted.as_json:
        raise click.UsageError(
            "--watch goes with neither of --check, --take-over, --forget, --json"
        )
    return warden.watch(wanted, runs, own["every"])
