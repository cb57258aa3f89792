"""How a run ends for the user: the verdict from the journal, the reports, the exit code."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from chaos import report
from chaos.cli.say import say
from chaos.history import load
from chaos.journal import read
from chaos.report import verdict_json
from chaos.report.terminal import verdict_block
from chaos.verdict import Verdict, judge_safely


def conclude(
    journal: Path,
    *,
    as_json: bool = False,
    metrics_file: Path | None = None,
    shown: Callable[[], None] = lambda: None,
) -> int:
    """Judge, write the reports beside the journal, print the verdict; returns the exit code.

    `shown` returns when nothing else is to be printed before it, which a held terminal delays.
    With `as_json` stdout has the verdict's JSON and nothing else. A report that cannot be written
    is told, and does not change the verdict.
    """
    history = load(journal)
    verdict = judge_safely(history)
    paths: dict[str, Path] = {}
    with _told("the report"):
        paths = report.write_reports(journal.parent, history, verdict)
    if metrics_file is not None:
        with _told("the metrics"):
            _write_metrics(metrics_file, journal, verdict)
    shown()
    width = min(100, shutil.get_terminal_size().columns)
    stream = sys.stderr if as_json else sys.stdout
    colour = stream.isatty() and not os.environ.get("NO_COLOR")
    block = verdict_block(history, verdict, paths, width=width, colour=colour)
    say(block, to_stderr=as_json)
    if as_json:
        say(verdict_json.render(history, verdict).rstrip())
    return verdict.exit_code


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        click.echo(f"{what} cannot be written: {error}", err=True)
    except Exception:  # noqa: BLE001  # a defect of a view, which must not become a verdict
        traceback.print_exc()


def _write_metrics(path: Path, journal: Path, verdict: Verdict) -> None:
    from chaos import metrics  # only for those who want them: prometheus_client takes its time

    metrics.write(path, read(journal), verdict)
