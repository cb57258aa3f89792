"""`chaos list`: what there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from chaos.cli import layout, options
from chaos.cli.say import say, say_json
from chaos.runs import Runs

if TYPE_CHECKING:
    from chaos.catalog import Listed, Past
    from chaos.reference import Family, Kind

Row = tuple[str, ...]


@click.command("list")
@click.argument(
    "what",
    type=click.Choice(["experiments", "faults", "probes", "levers", "runs"]),
    default="experiments",
)
@options.runs
@options.as_json
def command(what: str, runs: Runs, as_json: bool) -> None:
    """List experiments, kinds of faults, probes and levers, or runs.

    Experiments are those in ./experiments and those that are shipped; kinds are those of chaos and
    of installed packages; runs are told oldest first.

    \b
    Example:
      chaos list faults
    """
    tables: dict[str, Callable[[], tuple[Sequence[Any], list[Row]]]] = {
        "experiments": _experiments,
        "faults": lambda: _kinds("fault"),
        "probes": lambda: _kinds("probe"),
        "levers": lambda: _kinds("lever"),
        "runs": lambda: _runs(runs),
    }
    found, rows = tables[what]()
    if as_json:
        say_json({what: [asdict(entry) for entry in found]})
    elif rows:
        say(layout.table(rows, layout.table_width()))
    else:
        click.echo(f"there are no {what} in {runs.directory}", err=True)


def _experiments() -> tuple[list[Listed], list[Row]]:
    from chaos import catalog

    found = catalog.experiments()
    return found, [_experiment(listed) for listed in found]


def _experiment(listed: Listed) -> Row:
    if listed.problem:
        about = listed.problem
    else:
        needs = "".join(f" --var {name}=…" for name in listed.needs)
        about = listed.title + (f" (needs{needs})" if needs else "")
    return listed.file.name, "shipped" if listed.shipped else "own", listed.lab, about


def _kinds(family: Family) -> tuple[list[Kind], list[Row]]:
    from chaos import reference

    found = reference.kinds(family)
    return found, [(kind.kind, _about(kind)) for kind in found]


def _about(kind: Kind) -> str:
    return kind.problem or kind.summary + (f" (of {kind.package})" if kind.package else "")


def _runs(runs: Runs) -> tuple[list[Past], list[Row]]:
    from chaos import catalog

    found = catalog.past(runs)
    return found, [_run(past) for past in found]


def _run(past: Past) -> Row:
    code = "" if past.exit_code is None else f"exit {past.exit_code}"
    began = past.began[:16].replace("T", " ") + (" UTC" if past.began else "")
    return past.run, began, past.state, code, past.title or past.experiment
