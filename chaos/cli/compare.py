"""`chaos compare`: a run beside others, and the gate."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from chaos.cli import completions, options
from chaos.cli.say import say, say_json
from chaos.runs import Runs

if TYPE_CHECKING:
    from chaos.results import RunResult
    from chaos.results.comparing import Pair


def _percentage(ctx: click.Context, param: click.Parameter, given: str | None) -> float | None:
    """A fraction, of a text such as 20%."""
    if given is None:
        return None
    if not re.fullmatch(r"\d{1,4}(\.\d{1,4})?%", given):
        raise click.BadParameter(f"{given!r} is no percentage; write 20%", ctx, param)
    return float(given[:-1]) / 100


def _confidence(ctx: click.Context, param: click.Parameter, given: str) -> float:
    found = _percentage(ctx, param, given)
    if found is None or not 0.5 <= found < 1:
        raise click.BadParameter(f"{given} is no confidence; write one from 50% to 99.9%")
    return found


@click.command("compare")
@options.run
@click.argument("before", nargs=-1, shell_complete=completions.runs)
@click.option(
    "--last",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="Without BEFORE: compare with so many runs before it that are alike.",
)
@click.option(
    "--worse-than",
    callback=_percentage,
    metavar="PERCENT",
    help="Be a gate: the exit code is 1 when it is shown to be worse by more than that.",
)
@click.option(
    "--confidence",
    callback=_confidence,
    default="95%",
    show_default=True,
    metavar="PERCENT",
    help="Of all gates at which nothing was worse, so many are passed, at least.",
)
@click.option(
    "--objective",
    "objectives",
    metavar="PROBE[.OBJECTIVE]",
    multiple=True,
    help="Only these promises, such as playback.rto; may be given several times. The fewer are"
    " tested at once, the fewer runs are needed.",
)
@options.runs
@options.history
@options.as_json
def command(
    run: str,
    before: tuple[str, ...],
    last: int,
    worse_than: float | None,
    confidence: float,
    objectives: tuple[str, ...],
    runs: Runs,
    history: str | None,
    as_json: bool,
) -> None:
    """Compare RUN with the runs BEFORE, or with the last ones that are alike.

    Alike are runs of the same experiment (by name), in the same kind of environment and at the same
    speed: what else differs is told. RUN and BEFORE are ids, parts of ids, "latest", paths of
    journals, or sets of trials; "latest" is the whole set when it is one of a set.

    With --worse-than the exit code is 1 when RUN is shown to be worse, 3 when it cannot be told
    (too few runs, intervals too wide, a figure that proves nothing), and 0 when it is not shown to
    be worse. That takes 19 runs before for a single run at 95 % confidence; fewer for several
    trials.

    \b
    Example:
      chaos compare latest
      chaos compare latest --last 30 --worse-than 20% --objective playback.rto
    """
    from chaos import results
    from chaos.cli import compare_json, compare_text
    from chaos.errors import InvalidInput
    from chaos.results import comparing, folding, gate

    keep = history or str(runs.history)
    now = folding.named(run, runs, keep)
    then = _others(now, [each for name in before for each in folding.named(name, runs, keep)])
    then = then or results.earlier(keep, now[0], last)
    unlike = [each for each in then if not comparing.comparable(now[0], each)]
    if unlike and worse_than is not None:
        raise InvalidInput(compare_text.not_alike(now[0], unlike[0]))
    pairs = _wanted(comparing.pairs(now, then), objectives)
    judged = None if worse_than is None else gate.judge(pairs, worse_than, confidence)
    if as_json:
        say_json(compare_json.document(now, then, pairs, judged))
    else:
        _refuse_nothing(then, judged is not None, now[0])
        say("\n".join(compare_text.lines(now, then, pairs, judged)))
    sys.exit(0 if judged is None else judged.exit_code)


def _others(now: list[RunResult], given: list[RunResult]) -> list[RunResult]:
    """Each once, however often it was named: the same figure again is no further evidence."""
    from chaos.errors import InvalidInput

    then = {run.run: run for run in given}
    if both := [run.run for run in now if run.run in then]:
        raise InvalidInput(f"{both[0]} is on both sides; compare it with others")
    return list(then.values())


def _wanted(pairs: list[Pair], objectives: tuple[str, ...]) -> list[Pair]:
    """Those that were named; one that is not there is refused: it would pass every gate."""
    from chaos.errors import InvalidInput

    if not objectives:
        return pairs
    names = [f"{pair.probe}.{pair.objective}" for pair in pairs]
    for given in objectives:
        if not any(given in (name, name.partition(".")[0]) for name in names):
            known = ", ".join(names) or "nothing"
            raise InvalidInput(f"--objective {given}: that was not promised; promised is {known}")
    return [
        pair for pair in pairs if {pair.probe, f"{pair.probe}.{pair.objective}"} & {*objectives}
    ]


def _refuse_nothing(then: list[RunResult], is_gate: bool, now: RunResult) -> None:
    from chaos.errors import InvalidInput

    if not then and not is_gate:
        raise InvalidInput(
            f"there is no run before {now.run} that is alike (experiment {now.experiment},"
            f" {now.place}, speed {now.speed:g}); name the one to compare it with"
        )
