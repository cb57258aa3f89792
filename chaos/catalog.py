"""What there is to run and what was run, in a line each: a broken one of them spoils no list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import experiment, library, schema
from chaos.errors import InvalidInput, JournalFailed
from chaos.journal import in_use
from chaos.runs import Runs
from chaos.schema import nodes, reader

LONGEST = 8 * 1024 * 1024  # bytes of a verdict, or of a journal's first line, that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An experiment. It `needs` values for these variables; `problem` says why it cannot be run."""

    name: str
    file: Path
    shipped: bool
    title: str = ""
    lab: str = ""
    needs: tuple[str, ...] = ()
    problem: str = ""


def experiments() -> list[Listed]:
    """The user's own, then those that are shipped."""
    return [
        *(listed(path, shipped=False) for path in library.own()),
        *(listed(path, shipped=True) for path in library.shipped()),
    ]


def listed(file: Path, *, shipped: bool) -> Listed:
    """What that file says of itself, though it may be wrong elsewhere, or want values."""
    about: dict[str, Any] = {"name": file.stem, "file": file, "shipped": shipped}
    try:
        root, _ = reader.read(schema.read(file), "experiment")
    except InvalidInput as error:
        return Listed(**about, problem=str(error))
    default = experiment.Experiment.model_fields["lab"].default
    about |= {"title": _text(root, "title"), "lab": _text(root, "lab") or default}
    needs = tuple(_without_default(root))
    return Listed(**about, needs=needs, problem=_problem(file, needs))


def _problem(file: Path, needs: tuple[str, ...]) -> str:
    missing = {f"variables.{name}" for name in needs}
    try:
        experiment.load(file)
    except InvalidInput as error:
        found = [p for p in error.problems if getattr(p, "where", "") not in missing]
        if found:
            some = "a problem" if len(found) == 1 else f"{len(found)} problems"
            return f"has {some}; see: chaos validate {file}"
    return ""


def _text(root: nodes.Node | None, key: str) -> str:
    found = _below(root, key)
    return found.text if isinstance(found, nodes.Scalar) else ""


def _without_default(root: nodes.Node | None) -> list[str]:
    declared = _below(root, "variables")
    pairs = declared.pairs if isinstance(declared, nodes.Mapping) else ()
    return [key.text for key, node in pairs if _below(node, "default") is None]


def _below(node: nodes.Node | None, key: str) -> nodes.Node | None:
    pairs = node.pairs if isinstance(node, nodes.Mapping) else ()
    return next((inner for name, inner in pairs if name.text == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A run: `state` is its verdict, or `goes on`, or `no verdict` where none was given.

    `began` is the wall's time in UTC, as ISO 8601 has it; what is not known is empty or None.
    """

    run: str
    journal: Path
    began: str = ""
    experiment: str = ""
    title: str = ""
    state: str
    exit_code: int | None = None


def past(runs: Runs) -> list[Past]:
    """All runs, oldest first."""
    return [_past(run, runs.journal(run)) for run in runs.all()]


def _past(run: str, journal: Path) -> Past:
    header = _mapping(journal, first_line=True)
    about = _dict(header.get("experiment"))
    verdict = _mapping(journal.with_name("verdict.json"))
    value, code = verdict.get("value"), verdict.get("exit_code")
    judged = isinstance(value, str) and isinstance(code, int)
    return Past(
        run=run,
        journal=journal,
        began=str(header.get("wall", "")),
        experiment=str(about.get("name", "")),
        title=str(about.get("title", "")),
        state="goes on" if _goes_on(journal) else str(value) if judged else "no verdict",
        exit_code=code if judged else None,
    )


def _goes_on(journal: Path) -> bool:
    try:
        return in_use(journal)
    except JournalFailed:
        return False


def _mapping(path: Path, *, first_line: bool = False) -> dict[str, Any]:
    """The JSON that is there; empty when it cannot be read, for which a list is no place."""
    try:
        with path.open("rb") as file:
            data = file.readline(LONGEST) if first_line else file.read(LONGEST)
        return _dict(json.loads(data))
    except (OSError, ValueError):
        return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
