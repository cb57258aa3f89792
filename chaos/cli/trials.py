"""`chaos run --trials N`: a drill again and again. And `chaos report SET`, from the journals."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chaos.runs import Runs

if TYPE_CHECKING:
    from chaos.cli.sending import Elsewhere
    from chaos.drill import Drill
    from chaos.journal import Event
    from chaos.safety import Agree
    from chaos.trials import SetVerdict, TrialSet

MOST = 1000
SEEDS = 2**63
SECTION = ("trials", "seed", "stop_when_decided")


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a set."""
    for option in (
        click.option(
            "--stop-when-decided",
            is_flag=True,
            help="Make no further trial once the set can no longer hold; it is said.",
        ),
        click.option(
            "--seed",
            type=click.IntRange(0, SEEDS),
            metavar="SEED",
            help="What the trials draw from; without it a new one, which is told.",
        ),
        click.option(
            "--trials",
            type=click.IntRange(1, MOST),
            metavar="N",
            help="Carry it out so many times, and say what that shows of all such outages.",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The set that was asked for; `trials` is None for a single run."""

    trials: int | None
    seed: int | None
    stop_when_decided: bool

    def __post_init__(self) -> None:
        from chaos.errors import InvalidInput

        if self.trials is None and (self.seed is not None or self.stop_when_decided):
            raise InvalidInput("--seed and --stop-when-decided are for sets; add --trials N")

    def agreed(self, agree: Agree, tell: Callable[[str], None]) -> Agree:
        """For a set: once for all of its trials."""
        if self.trials is None:
            return agree
        from chaos.trials.consent import once

        return once(agree, self.trials, tell)


@dataclass(frozen=True, slots=True)
class Shown:
    """How the set is to be told, and where each trial is to be kept."""

    plain: bool
    as_json: bool
    metrics_file: Path | None
    keep: str | None
    elsewhere: Elsewhere
    count: Callable[[Event], None]


def carry_out(drill: Drill, runs: Runs, asked: Asked, shown: Shown) -> int:
    """Make the trials and judge them; returns the exit code of the set."""
    import secrets

    from chaos import trials
    from chaos.cli.ending import conclude
    from chaos.cli.say import say
    from chaos.trials import running, told

    assert asked.trials  # noqa: S101  # or it is a single run
    running.refuse_too_few(drill.experiment, asked.trials)
    say_it = partial(say, to_stderr=shown.as_json)
    planned = trials.Sets(runs.directory).new(
        experiment=drill.experiment.name,
        title=drill.experiment.title,
        seed=secrets.randbits(32) if asked.seed is None else asked.seed,
        of=asked.trials,
        place=f"{drill.where['kind']} at speed {drill.speed:g}",
        stop_when_decided=asked.stop_when_decided,
    )
    say_it(f"set {planned.set}: --trials {planned.of} --seed {planned.seed} draws the same again")
    made, verdict = running.carry_out(
        drill,
        runs,
        planned,
        watch=lambda n: _view(f"trial {n} of {planned.of}", shown, say_it),
        conclude=lambda journal: conclude(
            journal,
            metrics_file=shown.metrics_file,
            keep=shown.keep,
            elsewhere=shown.elsewhere,
            told=False,
        ),
        tell=lambda trial: say_it(told.line(trial, planned.of)),
    )
    return end(made, verdict, as_json=shown.as_json)


def end(made: TrialSet, verdict: SetVerdict, *, as_json: bool) -> int:
    """Write the set's reports and print its verdict; returns the exit code."""
    from chaos.cli.say import say, say_json
    from chaos.trials import document, reports, told

    page = reports.write(made, verdict)
    width = min(100, shutil.get_terminal_size().columns)
    for line in told.block(verdict, made.title or made.experiment, width):
        say(line, to_stderr=as_json)
    if page is not None:
        say(f"report     {page}", to_stderr=as_json)
    if as_json:
        say_json({**made.to_json(), **document.computed(verdict)})
    return verdict.exit_code


def judge_again(made: TrialSet, *, as_json: bool) -> int:
    """The set's verdict from the journals of its runs; returns the exit code."""
    from chaos.errors import InvalidInput
    from chaos.trials import judge
    from chaos.trials.sets import goes_on

    if goes_on(made):
        raise InvalidInput(
            f"{made.directory}: the set still goes on; it is judged when it has ended"
        )
    made = made.whole()
    why = made.ended or ("" if made.over else "whoever carried it out ended before")
    ended = why if len(made.runs) < made.of else ""
    return end(made, judge(made.results(), made.of, ended), as_json=as_json)


@contextmanager
def _view(
    name: str, shown: Shown, tell: Callable[[str], None]
) -> Iterator[Callable[[Event], None]]:
    from chaos.cli.view import follow

    tell(f"{name} …")
    with follow(plain=shown.plain, to_stderr=shown.as_json) as show:

        def watch(event: Event) -> None:
            show(event)
            shown.count(event)

        yield watch
