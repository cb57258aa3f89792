"""One trial after the other, until all are made or there is a reason to make no more.

A trial that was stopped ends the set: whoever stopped it, or whatever went wrong, would meet the
next one too. So does one that could not begin, and at once one whose rollback is incomplete.
"""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from chaos.chance import Trial
from chaos.drill import Drill
from chaos.errors import ChaosError, InvalidInput
from chaos.experiment import Experiment
from chaos.experiment.spread import PERCENTILES, Spread
from chaos.journal import Event
from chaos.rollback import incomplete
from chaos.runs import Runs
from chaos.statistics import trials_needed
from chaos.trials.judging import ROLLBACK_INCOMPLETE, Judged, SetVerdict, judge
from chaos.trials.promises import TrialResult, result_of
from chaos.trials.sets import TrialSet, going_on, keep, with_trial
from chaos.verdict.rules import RECOVER_WITHIN
from chaos.wishes import SIGNALS

log = logging.getLogger("chaos")

Conclude = Callable[[Path], object]  # writes a run's reports
Watch = Callable[[int], contextlib.AbstractContextManager[Callable[[Event], None]]]


def refuse_too_few(experiment: Experiment, trials: int) -> None:
    """Raise InvalidInput when so many trials could not show what the experiment promises."""
    problems: list[str] = []
    for probe, objective in experiment.objectives.items():
        for name, promised in objective:
            if isinstance(promised, Spread):
                problems += _too_few(experiment, probe, name, promised, trials)
    if problems:
        raise InvalidInput(*problems)


def _too_few(
    experiment: Experiment, probe: str, name: str, promised: Spread, trials: int
) -> Iterator[str]:
    needed = {p: trials_needed(PERCENTILES[p], promised.confidence) for p in promised.limits}
    percentile = max(needed, key=needed.__getitem__)
    if trials < needed[percentile]:
        yield experiment.located(
            ("objectives", probe, name),
            f"{needed[percentile]} trials without a failure are needed for {percentile} at"
            f" {promised.confidence * 100:g}%; --trials {trials} cannot show it",
        )


def carry_out(
    drill: Drill,
    runs: Runs,
    planned: TrialSet,
    *,
    watch: Watch,
    conclude: Conclude,
    tell: Callable[[TrialResult], None],
) -> tuple[TrialSet, SetVerdict]:
    """Make the trials; returns the set as far as it came, and its verdict.

    `watch` gives the view of a trial by its number. Raises a ChaosError when not even the first
    trial could begin: nothing was touched, and nothing is left of the set.
    """
    results: list[TrialResult] = []
    made = planned
    keep(made)
    with going_on(made), _minded() as asked:
        while len(made.runs) < made.of and not made.ended:
            n = len(made.runs) + 1
            try:
                run, result = _one(drill, runs, made, n, watch)
                made = with_trial(made, run.parent.name)
                results.append(result)
                made = replace(made, ended=_why_end(made, results))
                conclude(run)
                tell(result)
                made = replace(made, ended=made.ended or _unless_all(made, asked()))
                keep(made)
            except ChaosError as error:
                made = made.whole()  # its journal is there when it failed after the beginning
                if not made.runs:
                    _remove(made)
                    raise
                results += made.results(since=len(results))
                made = replace(made, ended=made.ended or _unless_all(made, f"trial {n}: {error}"))
                if not made.ended:
                    log.warning("trial %d: %s", n, error)
    return replace(made, over=True), judge(results, made.of, made.ended)


def _unless_all(made: TrialSet, why: str) -> str:
    """That, unless all the trials are made: what comes later ends nothing before its time."""
    return why if len(made.runs) < made.of else ""


def _one(
    drill: Drill, runs: Runs, made: TrialSet, n: int, watch: Watch
) -> tuple[Path, TrialResult]:
    trial = Trial(set=made.set, n=n, of=made.of, seed=made.seed)
    with watch(n) as view:
        journal, pulls = drill.run(runs, view, trial)
    result = result_of(journal, n, made.set)
    if incomplete(pulls):  # the journal may have missed it, or be gone; what is known here counts
        undone = replace(result.verdict, value="unknown", exit_code=ROLLBACK_INCOMPLETE)
        result = replace(result, verdict=undone)
    return journal, result


def _why_end(made: TrialSet, results: list[TrialResult]) -> str:
    """Why no further trial is to be made; empty when one is."""
    last = results[-1]
    if last.verdict.exit_code == ROLLBACK_INCOMPLETE:
        return f"trial {last.n}: the rollback is incomplete"
    if len(results) == made.of:
        return ""
    if last.stopped:
        return f"trial {last.n}: {last.stopped}"
    if made.stop_when_decided and any(map(_lost, judge(results, made.of).judged)):
        return f"decided by trial {last.n}: it can no longer hold"
    return ""


def _lost(one: Judged) -> bool:
    """Whether it cannot hold any more, whatever the other trials give."""
    told = 0 if one.promise.objective == RECOVER_WITHIN else one.unknown
    return one.failed + told > one.allowed


@contextlib.contextmanager
def _minded() -> Iterator[Callable[[], str]]:
    """While it is entered a signal between two trials ends nothing by itself; gives which came."""
    seen: list[str] = []
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in (n for n, handler in before.items() if handler is not signal.SIG_IGN):
        signal.signal(number, lambda n, _: seen.append(f"stopped by {signal.Signals(n).name}"))
    try:
        yield lambda: next(iter(seen), "")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _remove(made: TrialSet) -> None:
    with contextlib.suppress(OSError):
        for path in made.directory.iterdir():
            path.unlink()
        made.directory.rmdir()
        made.directory.parent.rmdir()  # only when it is empty: no run is in it
