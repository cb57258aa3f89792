"""What people see after a run: report.html, report.md, junit.xml, verdict.json."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from chaos import private
from chaos.history import History
from chaos.report import html, junit, markdown, verdict_json
from chaos.report.answers import beside
from chaos.report.findings import found
from chaos.report.trend import SHOWN
from chaos.results import RunResult
from chaos.verdict import Verdict

__all__ = ["SHOWN", "write_reports"]

FORMATS = {
    "verdict.json": verdict_json.render,
    "junit.xml": junit.render,
    "report.html": html.render,
    "report.md": markdown.render,
}


def write_reports(
    directory: Path, history: History, verdict: Verdict, past: Sequence[RunResult] = ()
) -> dict[str, Path]:
    """Write each report into `directory`, which holds the journal; returns them by their names.

    `past` are runs before it that the page is to show. A report is there whole or not at all, and
    as private as the journal. Raises OSError, and InvalidInput for what is wrong in the file with
    what was said of the findings.
    """
    paths = {}
    answers = beside(directory, history.run, found(history, verdict))
    with_more = {
        "report.html": partial(html.render, past=past, answers=answers),
        "report.md": partial(markdown.render, answers=answers),
    }
    for name, render in (FORMATS | with_more).items():
        paths[name] = directory / name
        private.write(paths[name], render(history, verdict))
    return paths
