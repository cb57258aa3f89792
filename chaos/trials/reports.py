"""The files of a set: trials.json, report.html and junit.xml, in its directory."""

from __future__ import annotations

import logging
from pathlib import Path

from chaos import private
from chaos.errors import JournalFailed
from chaos.trials import document, junit, page
from chaos.trials.judging import SetVerdict
from chaos.trials.sets import TrialSet, keep

log = logging.getLogger("chaos")

FORMATS = {"junit.xml": junit.render, "report.html": page.render}


def write(made: TrialSet, verdict: SetVerdict) -> Path | None:
    """Write them; the page, or None where they cannot be written, which changes no verdict."""
    try:
        keep(made, **document.computed(verdict))
        for name, render in FORMATS.items():
            private.write(made.directory / name, render(made, verdict))
    except (JournalFailed, OSError) as error:
        log.warning("the reports of the set cannot be written: %s", error)
        return None
    return made.directory / "report.html"
