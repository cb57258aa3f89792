"""Options and arguments that several commands share."""

from __future__ import annotations

import math
from pathlib import Path

import click

from chaos.runs import Runs

experiment = click.argument("experiment")

environment = click.option(
    "--environment",
    type=click.Choice(["embedded"]),
    default="embedded",
    show_default=True,
    help="Where it happens: a lab on this machine.",
)


def _finite(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no speed; give a number such as 5")
    return value


speed = click.option(
    "--speed",
    type=click.FloatRange(0.1, 100),
    callback=_finite,
    default=1.0,
    show_default=True,
    help="How many times faster than the wall the lab's clock runs.",
)

runs = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("chaos-runs"),
    show_default=True,
    envvar="CHAOS_RUNS",
    show_envvar=True,
    help="The directory that keeps the runs.",
    callback=lambda _ctx, _param, value: Runs(value),
)

run = click.argument("run", metavar="RUN")
