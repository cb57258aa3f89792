"""What people see after a run: report.html, junit.xml and verdict.json, beside the journal."""

from __future__ import annotations

from pathlib import Path

from chaos import private
from chaos.history import History
from chaos.report import html, junit, verdict_json
from chaos.verdict import Verdict

__all__ = ["write_reports"]

FORMATS = {
    "verdict.json": verdict_json.render,
    "junit.xml": junit.render,
    "report.html": html.render,
}


def write_reports(directory: Path, history: History, verdict: Verdict) -> dict[str, Path]:
    """Write each report into `directory`, which holds the journal; returns them by their names.

    A report is there whole or not at all, and as private as the journal. Raises OSError.
    """
    paths = {}
    for name, render in FORMATS.items():
        paths[name] = directory / name
        private.write(paths[name], render(history, verdict))
    return paths
