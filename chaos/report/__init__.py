"""What people see after a run: report.html, junit.xml and verdict.json, beside the journal."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

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
        _write(paths[name], render(history, verdict))
    return paths


def _write(path: Path, text: str) -> None:
    """Into a file beside it, which then takes its name: no reader sees half a report."""
    fd, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123  # it is a descriptor
            file.write(text)
            file.flush()
            os.fsync(fd)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
