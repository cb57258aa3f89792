"""`chaos report`: verdict and reports, computed again from a journal."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chaos.cli import options
from chaos.runs import Runs


@click.command("report")
@options.run
@options.runs
@options.history
@options.as_json
@options.metrics_file
@options.push_metrics
@options.otlp
def command(
    run: str,
    runs: Runs,
    history: str | None,
    as_json: bool,
    metrics_file: Path | None,
    push_metrics: str | None,
    otlp: str | None,
) -> None:
    """Judge a run again from its journal.

    Its reports are written anew, beside the journal, which may come from another machine, and so
    is its result in the history; where that is not named, of a run in the directory of the runs
    alone. The exit code is that of the run. RUN is an id, a part of one, "latest", or the path of
    a journal. Of a set of trials (chaos run --trials) it is the id or the directory: the set is
    judged again from the journals of its runs.

    \b
    Example:
      chaos report latest
    """
    from chaos.cli.ending import conclude
    from chaos.cli.sending import Elsewhere
    from chaos.errors import InvalidInput
    from chaos.journal import in_use
    from chaos.trials.sets import Sets

    if made := Sets(runs.directory).find(run):
        from chaos.cli.trials import judge_again

        sys.exit(judge_again(made, as_json=as_json))
    journal = runs.find(run)
    if in_use(journal):
        raise InvalidInput(f"{journal}: the run still goes on; it is judged when it has ended")
    of_ours = journal.resolve().parent.parent == runs.directory.resolve()
    keep = history or (str(runs.history) if of_ours else None)
    elsewhere = Elsewhere(push_metrics=push_metrics, otlp=otlp)
    code = conclude(
        journal, as_json=as_json, metrics_file=metrics_file, keep=keep, elsewhere=elsewhere
    )
    sys.exit(code)
