"""The figures in docs/reliability.md: one block a campaign, between two markers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.performance_page import machine, replaced

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
COMMAND = "PYTHONPATH=tests python -m campaigns"


def block(arguments: str, rows: Sequence[tuple[str, str]]) -> str:
    """The block of one campaign: what was run, where and when, and what came of it."""
    taken = f"`{COMMAND} {arguments}`, {datetime.now(UTC):%Y-%m-%d}, {machine()}:\n\n"
    table = "".join(f"| {name} | {value} |\n" for name, value in rows)
    return f"{taken}| | |\n|---|---|\n{table}"


def put(text: str, name: str, arguments: str, rows: Sequence[tuple[str, str]]) -> str:
    """The page's text with this campaign's block; raises ValueError when it has no place there."""
    return replaced(text, name, block(arguments, rows), PAGE)
