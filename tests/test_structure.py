"""The shape of the code: short functions, short files, and no module that needs itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parent.parent
MEDIAN, NINE_OF_TEN, LONGEST_FILE = 8, 30, 300

CODE = sorted(path for part in ("chaos", "probes") for path in (ROOT / part).rglob("*.py"))
PAGES = sorted(path for end in ("js", "css", "html") for path in (ROOT / "chaos").rglob(f"*.{end}"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in CODE}


def lengths(path: Path) -> Iterator[int]:
    """The lines of each function, from its `def` to its end."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1


def imported(path: Path) -> Iterator[str]:
    """The modules of ours that a module imports, now or when it is called; not for types alone."""
    tree = ast.parse(path.read_text())
    for_types = [
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    ]
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in full)


def test_functions_are_short() -> None:
    found = [length for path in CODE for length in lengths(path)]
    assert len(found) > 1000
    assert median(found) <= MEDIAN
    assert quantiles(found, n=10)[-1] <= NINE_OF_TEN


@pytest.mark.parametrize("path", [*CODE, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_no_module_needs_itself() -> None:
    needs = {name: set(imported(path)) - {name} for name, path in MODULES.items()}
    assert sum(map(len, needs.values())) > 200
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from None
