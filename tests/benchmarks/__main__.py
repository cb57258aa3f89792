"""`scripts/benchmark`: run benchmarks by hand, one after another, and show their figures."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from benchmarks.figures import Figure
from benchmarks.performance_page import PAGE, machine, put, shown

NAMES = sorted(
    path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the tables.")
@click.option("--write", is_flag=True, help="Put the figures into docs/performance.md as well.")
def command(names: tuple[str, ...], as_json: bool, write: bool) -> None:
    """Run the named benchmarks (default: all) on this machine, which should do nothing else."""
    taken = {}
    for name in names or NAMES:
        click.echo(f"{name} …", err=True)
        taken[name] = _measure(name)
        if not as_json:
            _show(taken[name])
        if write:
            PAGE.write_text(put(PAGE.read_text(), name, taken[name]))
    if as_json:
        figures = {name: [_as_json(f) for f in found] for name, found in taken.items()}
        click.echo(json.dumps({"machine": machine(), "figures": figures}, indent=2))
    missed = [f.name for found in taken.values() for f in found if f.reached is False]
    if missed:
        click.echo(f"aims missed: {', '.join(missed)}", err=True)
        sys.exit(1)


def _measure(name: str) -> list[Figure]:
    figures: list[Figure] = importlib.import_module(f"benchmarks.bench_{name}").measure()
    return figures


def _as_json(figure: Figure) -> dict[str, object]:
    return {**asdict(figure), "reached": figure.reached}


def _show(figures: list[Figure]) -> None:
    width = max(len(figure.name) for figure in figures)
    for f in figures:
        mark = {None: " ", True: "✓", False: "✗"}[f.reached]
        says = [f"aim: {f.aim}" if f.aim else "", f.compared_with]
        value = f"{shown(f.value)} {f.unit}"
        click.echo(f"{mark} {f.name:{width}}  {value:>12}  {'; '.join(filter(None, says))}")


if __name__ == "__main__":
    command(prog_name="scripts/benchmark")
