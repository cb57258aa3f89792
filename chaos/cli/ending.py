"""How a run ends for the user: the verdict from the journal, the reports, the exit code."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from pathlib import Path

import click

from chaos import report
from chaos.cli.say import say
from chaos.history import load
from chaos.report.terminal import verdict_block
from chaos.verdict import judge_safely


def conclude(journal: Path) -> int:
    """Judge, write the reports beside the journal, print the verdict; returns the exit code.

    A report that cannot be written is told, and does not change the verdict.
    """
    history = load(journal)
    verdict = judge_safely(history)
    paths: dict[str, Path] = {}
    try:
        paths = report.write_reports(journal.parent, history, verdict)
    except OSError as error:
        click.echo(f"the report cannot be written: {error}", err=True)
    except Exception:  # noqa: BLE001  # a defect of a view, which must not become a verdict
        traceback.print_exc()
    width = min(100, shutil.get_terminal_size().columns)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    say(verdict_block(history, verdict, paths, width=width, colour=colour))
    return verdict.exit_code
