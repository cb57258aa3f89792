"""How a run ends for the user: the verdict from the journal, the reports, the exit code."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from chaos import report, results
from chaos.cli.say import say
from chaos.cli.sending import Elsewhere
from chaos.errors import ChaosError, StoreFailed
from chaos.history import History, load
from chaos.journal import read
from chaos.packing import unpacked
from chaos.report import verdict_json
from chaos.report.terminal import verdict_block
from chaos.verdict import Verdict, judge_safely


def conclude(
    journal: Path,
    *,
    as_json: bool = False,
    metrics_file: Path | None = None,
    keep: str | None = None,
    elsewhere: Elsewhere | None = None,
    shown: Callable[[], None] = lambda: None,
    told: bool = True,
) -> int:
    """Judge, write the reports beside the journal, print the verdict; returns the exit code.

    `shown` returns when nothing else is to be printed before it, which a held terminal delays.
    With `as_json` stdout has the verdict's JSON and nothing else. `keep` is where the history is
    that its result goes into, a file or a URL; None is nowhere. A report that cannot be written
    is told, and does not change the verdict; nor does a history. Where it is sent to comes last:
    the verdict does not wait for it. Without `told` nothing is printed, as of a trial, of which its
    set tells.
    """
    history = load(journal)
    gc.freeze()  # a long run has millions of samples, and a collection would look at each of them
    verdict = judge_safely(history)
    paths: dict[str, Path] = {}
    past: list[results.RunResult] = []
    with _told("the history"):
        past = _kept(keep, journal, history, verdict)
    with _told("the report"):
        paths = report.write_reports(journal.parent, history, verdict, past)
    if metrics_file is not None:
        with _told("the metrics"):
            _write_metrics(metrics_file, journal, verdict)
    if told:
        shown()
        _show(history, verdict, paths, as_json=as_json)
    if elsewhere is not None:
        elsewhere.send(journal, history, verdict)
    return verdict.exit_code


def _show(history: History, verdict: Verdict, paths: dict[str, Path], *, as_json: bool) -> None:
    width = min(100, shutil.get_terminal_size().columns)
    stream = sys.stderr if as_json else sys.stdout
    colour = stream.isatty() and not os.environ.get("NO_COLOR")
    block = verdict_block(history, verdict, paths, width=width, colour=colour)
    say(block, to_stderr=as_json)
    if as_json:
        say(verdict_json.render(history, verdict).rstrip())


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        click.echo(f"{what} cannot be written: {error}", err=True)
    except ChaosError as error:
        click.echo(str(error), err=True)
    except Exception:  # noqa: BLE001  # a defect of a view, which must not become a verdict
        traceback.print_exc()


def _kept(
    keep: str | None, journal: Path, history: History, verdict: Verdict
) -> list[results.RunResult]:
    """Keep the result; returns those of the runs before it that the report is to show."""
    try:
        results.record(keep, history, verdict)
    except StoreFailed as error:
        later = f"to take the run in later: chaos history --import {journal.parent.parent}"
        raise StoreFailed(f"{error}\nThe verdict stands; {later}") from error
    return results.earlier(keep, results.of(history, verdict), report.SHOWN - 1)


def _write_metrics(path: Path, journal: Path, verdict: Verdict) -> None:
    from chaos import metrics  # only for those who want them: prometheus_client takes its time

    metrics.write(path, unpacked(read(journal)), verdict)
