"""Text for a terminal of any width: prose that is wrapped, and tables whose last column is."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

WIDEST = 100
ENDLESS = 10_000  # where no terminal is: whoever greps wants whole lines
MARKS = {"✓": "green", "✗": "red", "?": "yellow"}
ROOM = 24  # the least that is left for the last column before it gets a line of its own


class WholeSentences(click.Group):
    """A group whose help tells what each command does in full, on as many lines as that takes."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Click would cut the sentence off where the line ends."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, found.get_short_help_str(ENDLESS)) for name, found in commands if found]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Sections(click.Command):
    """A command with many options: its help has them in sections, by the names of parameters."""

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        """`sections`: the options below each title, in that order; what is in none comes last."""
        super().__init__(*args, **kwargs)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Click would have one list, in the order of the decorators."""
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        records = {str(p.name): p.get_help_record(ctx) for p in options}
        for title, names in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([row for name in names if (row := records.pop(name))])
        with formatter.section("Options"):
            formatter.write_dl([row for row in records.values() if row])


def width() -> int:
    """How wide prose may be here."""
    return min(WIDEST, max(shutil.get_terminal_size((WIDEST, 24)).columns, 20))


def table_width() -> int:
    """How wide a table may be here: as it likes where its lines are read by a program."""
    terminal = sys.stdout.isatty() or "COLUMNS" in os.environ
    return max(shutil.get_terminal_size().columns, 20) if terminal else ENDLESS


def heading(text: str) -> str:
    """The text, bold where that can be seen."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return click.style(text, bold=True) if colour else text


def mark(sign: str) -> str:
    """A ✓, ✗ or ? in its colour, where that can be seen."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return click.style(sign, fg=MARKS[sign], bold=True) if colour else sign


def prose(text: str, width: int, indent: str = "") -> str:
    """Paragraphs and lists, filled anew; what is indented (code) is left as it is."""
    blocks = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join(_block(block, width, indent) for block in blocks)


def _block(block: str, width: int, indent: str) -> str:
    if block.startswith("  "):
        return textwrap.indent(block, indent)
    items = re.split(r"\n(?=- )", block)
    return "\n".join(filled(item, width, indent, "  " * item.startswith("- ")) for item in items)


def filled(text: str, width: int, indent: str = "", hanging: str = "") -> str:
    """One paragraph; words that are too long stand out rather than being cut."""
    return textwrap.fill(
        " ".join(text.split()),
        width=max(width, len(indent) + 10),
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(rows: Iterable[Sequence[str]], width: int) -> str:
    """Rows of the same number of columns, two spaces apart; the last column is prose."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    taken = sum(widths) + 2 * len(widths)
    stacked = width - taken < ROOM
    return "\n".join(_row(row, widths, "    " if stacked else " " * taken, width) for row in rows)


def _row(row: Sequence[str], widths: Sequence[int], indent: str, width: int) -> str:
    """The last column beside the others where there is room, and below them where there is not."""
    head = "".join(f"{cell:{size}}  " for cell, size in zip(row, widths, strict=False))
    last = filled(row[-1], width, indent)
    if not last or len(head) > len(indent):
        return "\n".join(filter(None, [head.rstrip(), last]))
    return head + last[len(head) :]
