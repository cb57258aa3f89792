"""Runs as their journals tell them: one that is named, and all that a directory has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chaos import history
from chaos.errors import ChaosError, InvalidInput
from chaos.journal import in_use
from chaos.results import RunResult, Store, of, runs
from chaos.runs import Runs
from chaos.verdict import judge_safely

LATEST = "latest"


def folded(journal: Path) -> RunResult:
    """What its journal tells; raises JournalFailed, and InvalidInput while it goes on."""
    if in_use(journal):
        raise InvalidInput(f"{journal}: the run still goes on; it is judged when it has ended")
    found = history.load(journal)
    return of(found, judge_safely(found))


def all_of(kept: Runs, store: Store) -> Iterator[str | ChaosError]:
    """Put each run of the directory into the store: its id, or why it was left out."""
    for run in kept.all():
        try:
            store.put(folded(kept.journal(run)))
            yield run
        except ChaosError as error:
            yield error


def named(given: str, kept: Runs, url: str) -> list[RunResult]:
    """The run of that name, or the trials of the set of that name, oldest first.

    `latest` is the newest in the directory, with all trials of its set if it is one of a set. A run
    is told by its journal where that is there, and else by the history. Raises InvalidInput when
    there is none, or when a part of an id fits several.
    """
    if of_set := runs(url, trial_set=Path(given).name):
        return of_set
    try:
        journal = kept.find(given)
    except InvalidInput as error:
        return [_kept(given, url, error)]
    found = folded(journal)
    if given == LATEST and found.trial_set:
        others = [run for run in runs(url, trial_set=found.trial_set) if run.run != found.run]
        return [*others, found]  # which the history lacks where it was killed
    return [found]


def _kept(given: str, url: str, missing: InvalidInput) -> RunResult:
    found = runs(url, part=given)
    exact = [run for run in found if run.run == given] or found
    if len(exact) > 1:
        fits = ", ".join(run.run for run in exact[-5:])
        raise InvalidInput(f"{given!r} fits {len(exact)} runs of the history: {fits}")
    if not exact:
        raise InvalidInput(f"{missing} (and none in the history)")
    return exact[0]
