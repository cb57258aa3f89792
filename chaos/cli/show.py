"""`chaos show`: what a kind does and takes, or the text of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from chaos.cli import completions, layout, options
from chaos.cli.say import say, say_json

if TYPE_CHECKING:
    from pathlib import Path

    from chaos.reference import Kind, Parameter


@click.command("show")
@click.argument("name", shell_complete=completions.to_show)
@options.as_json
def command(name: str, as_json: bool) -> None:
    """Show what a kind does and takes, and an example.

    NAME is a kind of fault, probe or lever, as `chaos list` has them: its parameters with units
    and defaults, how real it is where, and what it changes. The name of an experiment shows its
    file as it stands, to learn from it or to begin one's own with a copy.

    \b
    Example:
      chaos show region_outage
      chaos show region-outage > experiments/mine.yaml
    """
    from chaos import reference

    found = reference.find(name)
    if not found:
        _show_experiment(_experiment(name), as_json)
    elif as_json:
        say_json({"kinds": [asdict(kind) for kind in found]})
    else:
        say("\n\n\n".join("\n\n".join(_sections(kind, layout.width())) for kind in found))


def _experiment(name: str) -> Path:
    from chaos import library, reference
    from chaos.errors import InvalidInput
    from chaos.schema import did_you_mean

    try:
        return library.find(name)
    except InvalidInput as error:
        known = [kind for family in reference.FAMILIES for kind in reference.names(family)]
        hint = did_you_mean(name, [*known, *library.names()])
        told = hint or "; chaos list shows what there is"
        raise InvalidInput(f"there is no kind or experiment {name[:60]!r}{told}") from error


def _show_experiment(path: Path, as_json: bool) -> None:
    from chaos import catalog, library, schema

    text = schema.read(path).decode(errors="replace")
    if as_json:
        listed = catalog.listed(path, shipped=library.is_shipped(path))
        say_json({"experiment": {**asdict(listed), "text": text}})
    else:
        say(text.rstrip("\n"))


def _sections(kind: Kind, width: int) -> Iterator[str]:
    from_whom = f", of {kind.package}" if kind.package else ""
    yield layout.heading(f"{kind.kind} ({kind.family}{from_whom})")
    yield layout.prose(kind.text, width)
    if kind.family != "lever":
        yield _parameters("Parameters", kind.parameters, width)
        yield _parameters(f"Every {kind.family} also has", kind.common, width)
        if any(p.type == "duration" for p in (*kind.parameters, *kind.common)):
            yield layout.filled("A duration is written 250ms, 5s, 2m or 1h.", width)
    yield from _facts(kind, width)
    if kind.example:
        place = {"fault": "faults:", "probe": "probes:"}[kind.family]
        lines = [place, *(f"  {line}" for line in kind.example.splitlines())]
        yield "\n".join([layout.heading("Example"), *(f"  {line}".rstrip() for line in lines)])


def _parameters(title: str, parameters: tuple[Parameter, ...], width: int) -> str:
    rows = []
    for parameter in parameters:
        rows.append((f"  {parameter.name}", _wanted(parameter)))
        rows.append(("", parameter.description))
    return f"{layout.heading(title)}\n{layout.table(rows, width) if rows else '  none'}"


def _wanted(parameter: Parameter) -> str:
    """`duration, above 0s; default 10m`."""
    limits = f", {parameter.limits}" if parameter.limits else ""
    if parameter.required:
        left_out = "; required"
    else:
        default = parameter.default
        left_out = "; optional" if default is None else f"; default {default}"
    return parameter.type.replace("`", "") + limits + left_out


def _facts(kind: Kind, width: int) -> Iterator[str]:
    from chaos.report.words import FIDELITY

    rows = [(f"It has no {name}", why) for name, why in kind.without.items()]
    rows += [(f"In the {where} environment", FIDELITY[how]) for where, how in kind.fidelity.items()]
    if kind.levers:
        rows.append(("Pulls the levers", ", ".join(kind.levers)))
    if kind.known_by:
        rows.append(("Known by", ", ".join(kind.known_by)))
    if kind.to_allow:
        allowed = ", ".join(kind.to_allow)
        rows.append(("One-way", f"to use it, write allow_irreversible: [{allowed}]"))
    if rows:
        yield layout.table(rows, width)
