"""What the shell offers while a command is being typed: names, and nothing heavy to get them.

A defect or an unreadable directory offers nothing: it must not write into the user's line.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from chaos import extensions, library
from chaos.extensions import Group

Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
HERE = Path(__file__).parent.parent
# Where the tables KINDS stand. They are read as text: to import them takes what all kinds need.
TABLES: dict[Group, Path] = {
    "chaos.faults": HERE / "faults" / "__init__.py",
    "chaos.levers": HERE / "levers" / "__init__.py",
    "chaos.probes": HERE.parent / "probes" / "__init__.py",
}


def _quietly(offer: Callable[[click.Context, str], Iterator[CompletionItem]]) -> Offer:
    @functools.wraps(offer)
    def offered(ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
        try:
            return [item for item in offer(ctx, typed) if item.value.startswith(typed)]
        except Exception:  # noqa: BLE001  # said above
            return []

    return offered


@_quietly
def experiments(_: click.Context, typed: str) -> Iterator[CompletionItem]:
    """Their names, and the files and directories that the path begins."""
    if "/" not in typed:
        yield from map(CompletionItem, library.names())
        yield from (CompletionItem(path.name) for path in sorted(Path().glob(f"*{library.SUFFIX}")))
    if "/" in typed or not any(name.startswith(typed) for name in library.names()):
        yield CompletionItem(typed, type="file")


@_quietly
def runs(ctx: click.Context, _: str) -> Iterator[CompletionItem]:
    """`latest`, then the newest first."""
    known = ctx.params["runs"].all()
    yield from map(CompletionItem, ["latest", *reversed(known)] if known else [])


@_quietly
def to_show(_: click.Context, __: str) -> Iterator[CompletionItem]:
    """Kinds, and experiments."""
    names = [name for group in TABLES for name in _kinds(group)]
    yield from map(CompletionItem, dict.fromkeys([*names, *library.names()]))


def _kinds(group: Group) -> list[str]:
    table = TABLES[group].read_text().partition("\nKINDS")[2]
    return [*re.findall(r'^ +"(\w+)":', table, re.MULTILINE), *extensions.names(group)]
