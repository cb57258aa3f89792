"""Why a run cannot give a verdict at all: it did not go as planned, or the fault did not bite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaos.history import FaultWindow, History, Pull, lever_name, setting
from chaos.verdict.measurement import Measurement


def doubts(history: History, measured: Iterable[Measurement]) -> list[str]:
    """One sentence for each reason, the decisive one first; empty when all went as planned."""
    if history.phase("inject") is None:
        return list(history.stops) or ["the run ended before anything was broken"]
    found = [*_faults(history), *_pulls(history.pulls)]
    found += [f"stopped early: {why}" for why in history.stops if why not in found]
    if not history.finished:
        found.append("the journal ends before the run did")
    if not found and not _noticed(history, measured):
        found.append("nothing noticed the fault: no attempt failed and no request met it")
    return found


def _faults(history: History) -> Iterator[str]:
    """Every fault of the experiment must have been injected, and have changed something."""
    windows = {window.fault: window for window in history.faults}
    for number, fault in enumerate(history.experiment["faults"]):
        window = windows.get(number, FaultWindow(fault=number, kind=fault["kind"]))
        pulls = [pull for pull in history.pulls if pull.fault == number]
        if window.error:
            yield f"{window.kind} failed: {window.error}"
        elif window.injected is None:
            yield f"{window.kind} was not injected"
        elif not pulls:
            yield f"{window.kind} pulled no lever"
        elif all(pull.prior == pull.value for pull in pulls):
            yield f"{window.kind} changed nothing: every lever was already where it pulled it"


def _pulls(pulls: Iterable[Pull]) -> Iterator[str]:
    for pull in pulls:
        if pull.done is None:
            yield f"{lever_name(pull.lever)} was never seen to be {setting(pull.value)}"


def _noticed(history: History, measured: Iterable[Measurement]) -> bool:
    """Whether something met the fault, or nothing was promised but that nothing would notice."""
    given = {
        objective
        for objectives in history.experiment["objectives"].values()
        for objective, wanted in objectives.items()
        if wanted is not None and wanted is not False
    }
    return (
        given == {"unaffected"}
        or any(pull.noticed for pull in history.pulls)
        or any(m.recovery and m.recovery.kind in ("during", "after", "never") for m in measured)
    )
