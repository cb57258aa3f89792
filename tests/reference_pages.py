"""The parts of docs/ that come from the code, between two marks in a page; the rest is by hand."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from chaos import reference
from chaos.cli import COMMANDS, group
from chaos.reference import Kind, Parameter, parameters

BAR = "\\|"  # within a cell
DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"(<!-- scripts/reference: (.+?) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)


def cell(text: str) -> str:
    """Prose that may stand in a table: what Markdown would obey is escaped, but not in `code`."""
    parts = text.replace("|", BAR).split("`")
    plain = [re.sub(r"([*_<>])", r"\\\1", part) for part in parts[::2]]
    code = [f"`{part}`" for part in parts[1::2]]
    return "".join(a + b for a, b in zip(plain, [*code, ""], strict=True)).strip()


def table(found: tuple[Parameter, ...] | list[Parameter]) -> str:
    rows = ["| parameter | type | default | |", "|---|---|---|---|"]
    for p in found:
        default = "required" if p.required else "" if p.default is None else f"`{p.default}`"
        limits = f", {p.limits}" if p.limits else ""
        rows.append(f"| `{p.name}` | {p.type}{limits} | {default} | {cell(p.description)} |")
    return "\n".join(rows) + "\n"


def kind_section(kind: Kind) -> Iterator[str]:
    yield f"## {kind.kind}\n"
    yield f"{kind.text}\n"
    if kind.parameters:
        yield table(kind.parameters)
    if facts := " ".join(fact_sentences(kind)):
        yield f"{facts}\n"
    if kind.example:
        place = {"fault": "faults:", "probe": "probes:"}[kind.family]
        yield f"```yaml\n{place}\n{textwrap.indent(kind.example, '  ')}\n```\n"


def fact_sentences(kind: Kind) -> Iterator[str]:
    for name, why in kind.without.items():
        yield f"It has no `{name}`: {why}."
    if kind.fidelity:
        real = ", ".join(f"{where} `{how}`" for where, how in kind.fidelity.items())
        yield f"Fidelity: {real}."
    if kind.levers:
        links = ", ".join(f"[`{name}`](levers.md#{name})" for name in kind.levers)
        yield f"Levers: {links}."
    if kind.known_by:
        yield f"Known by: {', '.join(f'`{name}`' for name in kind.known_by)}."
    if pullers := [f for f in ours("fault") if kind.family == "lever" and kind.kind in f.levers]:
        links = ", ".join(f"[`{fault.kind}`](faults.md#{fault.kind})" for fault in pullers)
        yield f"Pulled by: {links}."
    if kind.to_allow:
        yield f"One-way: `allow_irreversible: [{', '.join(kind.to_allow)}]`."


def ours(family: reference.Family) -> list[Kind]:
    """The kinds of chaos itself: what happens to be installed here is no part of the docs."""
    return [reference.describe(family, name) for name in reference.FAMILIES[family].table()]


def sections(family: reference.Family) -> str:
    return "\n".join(part for kind in ours(family) for part in kind_section(kind))


def common(family: reference.Family) -> str:
    base = reference.FAMILIES[family].base
    assert base is not None
    return table(parameters(base))


def every_command() -> Iterator[tuple[str, click.Command, click.Context]]:
    """All of them by their whole names, those of groups behind their group."""
    root = click.Context(group, info_name="chaos")
    for name in COMMANDS:
        command = group.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root)
        yield context.command_path, command, context
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                below = command.get_command(context, inner)
                assert below is not None
                inside = click.Context(below, info_name=inner, parent=context)
                yield inside.command_path, below, inside


def command_table() -> str:
    rows = ["| command | does |", "|---|---|"]
    for path, command, _ in every_command():
        usage = " ".join(filter(None, [path, *(argument(p) for p in command.params)]))
        first = inspect.cleandoc(command.help or "").partition("\n\n")[0]
        link = f"[`{usage}`](#{path.replace(' ', '-')})"
        rows.append(f"| {link.replace('|', BAR)} | {cell(' '.join(first.split()))} |")
    return "\n".join(rows) + "\n"


def argument(parameter: click.Parameter) -> str:
    if not isinstance(parameter, click.Argument):
        return ""
    if parameter.metavar:
        return parameter.metavar
    name = (parameter.name or "").upper()
    if isinstance(parameter.type, click.Choice):
        name = "|".join(map(str, parameter.type.choices))
    more = "..." if parameter.nargs == -1 else ""
    return f"{name}{more}" if parameter.required else f"[{name}]{more}"


def command_sections() -> str:
    return "\n".join(
        part for path, command, _ in every_command() for part in of_command(path, command)
    )


def of_command(path: str, command: click.Command) -> Iterator[str]:
    yield f"## {path}\n"
    yield f"{prose(inspect.cleandoc(command.help or ''))}\n"
    rows = [option(p) for p in command.params if isinstance(p, click.Option)]
    if rows:
        yield "\n".join(["| option | default | |", "|---|---|---|", *rows]) + "\n"


def option(parameter: click.Option) -> str:
    names = f"{', '.join(parameter.opts)} {value(parameter)}".strip().replace("|", BAR)
    plain = isinstance(parameter.default, str | int | float | Path) and not parameter.is_flag
    default = f"`{parameter.default}`" if plain and parameter.default != "" else ""
    told = parameter.help or ""
    if isinstance(parameter.type, click.FloatRange | click.IntRange):
        told += f" {parameter.type.min} to {parameter.type.max}."
    if parameter.envvar:
        told += f" The variable `{parameter.envvar}` gives it too."
    return f"| `{names}` | {default} | {cell(told)} |"


def value(parameter: click.Option) -> str:
    """What stands behind the option: click's own words differ between its versions."""
    if parameter.is_flag or parameter.metavar:
        return parameter.metavar or ""
    wanted = parameter.type
    if isinstance(wanted, click.Choice):
        return "|".join(map(str, wanted.choices))
    if isinstance(wanted, click.FloatRange | click.IntRange):
        return "N"
    return (wanted.name or "text").upper()


def prose(text: str) -> str:
    """A command's help; what its author set line by line stays so."""
    parts = []
    for part in text.strip().split("\n\n"):
        if not part.startswith("\b\n"):
            parts.append(part)
            continue
        first, _, rest = part.removeprefix("\b\n").partition("\n")
        example = first == "Example:"
        lines = textwrap.dedent(rest) if example else f"{first}\n{rest}"
        parts.append(f"```{'sh' if example else 'text'}\n{lines}\n```")
    return "\n\n".join(parts)


BLOCKS: dict[str, Callable[[], str]] = {
    "what all faults have": lambda: common("fault"),
    "faults": lambda: sections("fault"),
    "what all probes have": lambda: common("probe"),
    "probes": lambda: sections("probe"),
    "levers": lambda: sections("lever"),
    "commands": command_table,
    "each command": command_sections,
    "exit codes": lambda: f"```text\n{(group.epilog or '').removeprefix(chr(8)).strip()}\n```\n",
}


def made(page: str) -> str:
    """The page with its blocks as the code has them now."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{BLOCKS[block[2]]()}\n{block[4]}", page)


def pages() -> list[Path]:
    return [path for path in sorted(DOCS.glob("*.md")) if BLOCK.search(path.read_text())]


if __name__ == "__main__":
    for path in pages():
        path.write_text(made(path.read_text()))
