"""The figures in docs/performance.md: one block a benchmark, between two markers."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
HEAD = "| figure | value | aim | compared with |\n|---|---|---|---|\n"


def block(name: str, figures: Sequence[Figure]) -> str:
    """The block of one benchmark: where it was taken, and a table."""
    taken = f"`scripts/benchmark {name}`, {datetime.now(UTC):%Y-%m-%d}, {machine()}:\n\n"
    return taken + HEAD + "".join(map(_row, figures))


def put(text: str, name: str, figures: Sequence[Figure]) -> str:
    """The page's text with this benchmark's block; raises ValueError when it has no place there."""
    return replaced(text, name, block(name, figures), PAGE)


def replaced(text: str, name: str, new: str, page: Path) -> str:
    """A page's text with `new` between the marks of that name; raises ValueError without them."""
    begin, end = f"<!-- figures: {name} -->\n", "<!-- end of figures -->"
    pattern = re.escape(begin) + r".*?" + re.escape(end)
    text, count = re.subn(pattern, lambda _: begin + new + end, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{page.name} has {count} places for the figures of {name}, not one")
    return text


def machine() -> str:
    """What it was measured on: processor, cores this process may use, Python."""
    cores = len(os.sched_getaffinity(0))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {cores} cores, {platform.system()}, {python}"


def shown(value: float) -> str:
    """A number with as many digits as can mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _row(figure: Figure) -> str:
    aim = f"{figure.aim}: {'reached' if figure.reached else 'missed'}" if figure.aim else ""
    cells = (figure.name, f"{shown(figure.value)} {figure.unit}", aim, figure.compared_with)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
