"""`chaos list`: what there is."""

from __future__ import annotations

from collections.abc import Callable

import click

from chaos.cli import options
from chaos.cli.say import say
from chaos.runs import Runs

Rows = list[tuple[str, str]]


@click.command("list")
@click.argument(
    "what",
    type=click.Choice(["experiments", "faults", "probes", "levers", "runs"]),
    default="experiments",
)
@options.runs
def command(what: str, runs: Runs) -> None:
    """List the shipped experiments, or the kinds of faults, probes or levers, or the runs.

    \b
    Example:
      chaos list faults
    """
    tables: dict[str, Callable[[], Rows]] = {
        "experiments": _experiments,
        "faults": _faults,
        "probes": _probes,
        "levers": _levers,
        "runs": lambda: [(run, "") for run in runs.all()],
    }
    rows = tables[what]()
    width = max((len(name) for name, _ in rows), default=0)
    for name, says in rows:
        say(f"{name:{width}}  {says}".rstrip())


def _experiments() -> Rows:
    from chaos import experiment, library

    return [(path.name, experiment.load(path).title) for path in library.shipped()]


def _faults() -> Rows:
    from chaos.faults import KINDS

    return [(kind, fault.summary) for kind, fault in KINDS.items()]


def _probes() -> Rows:
    from probes import KINDS

    return [(kind, probe.summary) for kind, probe in KINDS.items()]


def _levers() -> Rows:
    from chaos.levers import KINDS

    return [(kind, (lever.__doc__ or "").splitlines()[0]) for kind, lever in KINDS.items()]
