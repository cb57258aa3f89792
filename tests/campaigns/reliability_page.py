"""The figures of campaigns in docs/: one block a campaign, between two markers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.performance_page import machine, replaced

DOCS = Path(__file__).parents[2] / "docs"
PAGES = dict.fromkeys(("ground_truth", "long", "peers", "soak"), DOCS / "measurement.md")
COMMAND = "PYTHONPATH=tests python -m campaigns"


def page_of(name: str) -> Path:
    """The page that has the figures of a campaign."""
    return PAGES.get(name, DOCS / "reliability.md")


def block(arguments: str, rows: Sequence[tuple[str, ...]]) -> str:
    """The block of one campaign: what was run, where and when, and what came of it.

    Where there are more columns than two, the first row names them.
    """
    taken = f"`{COMMAND} {arguments}`, {datetime.now(UTC):%Y-%m-%d}, {machine()}:\n\n"
    head, body = (rows[0], rows[1:]) if len(rows[0]) > 2 else (("", ""), rows)
    lines = [_line(head), "|" + "---|" * len(head) + "\n", *map(_line, body)]
    return taken + "".join(lines)


def put(text: str, name: str, arguments: str, rows: Sequence[tuple[str, ...]]) -> str:
    """The page's text with this campaign's block; raises ValueError when it has no place there."""
    return replaced(text, name, block(arguments, rows), page_of(name))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
