"""Why a run cannot give a verdict at all: it did not go as planned, or the fault did not bite."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

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
    if any(pull.outcome == "gone" and not pull.late for pull in history.pulls):
        found.append("the environment ended during the run")
    return found or list(_unnoticed(history, measured))


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
        lever = lever_name(pull.lever)
        if pull.done is None:
            yield f"{lever} was never seen to be {setting(pull.value)}"
        elif pull.late:
            yield f"{lever} was not put back when the fault was to end: the fault lasted longer"
        elif pull.outcome == "already" and pull.prior != pull.value and not pull.irreversible:
            yield f"{lever} was back before the run put it back: the fault did not last"


def _unnoticed(history: History, measured: Iterable[Measurement]) -> Iterator[str]:
    """Something must have met every fault, unless all that was promised is that nothing would."""
    given = {
        objective
        for objectives in history.experiment["objectives"].values()
        for objective, wanted in objectives.items()
        if wanted is not None and wanted is not False
    }
    yield from _unseen(history)
    if given == {"unaffected"}:
        return
    failed = any(m.recovery and m.recovery.kind in ("during", "after", "never") for m in measured)
    if not failed and not any(pull.noticed for pull in history.pulls):
        yield "nothing noticed the fault: no attempt failed and no request met it"
        return
    for window in history.faults:
        counts = [p.noticed for p in history.pulls if p.fault == window.fault]
        # A fault whose levers do not count may have met traffic that nobody knows of.
        if set(counts) - {None} == {0} and not _failures(window, history):
            name = f"{window.kind} (faults[{window.fault}])"
            yield f"nothing noticed {name}: no attempt failed under it and no request met it"


def _unseen(history: History) -> Iterator[str]:
    """What others break is known from probes alone, whatever was promised."""
    for window in history.faults:
        fault = history.experiment["faults"][window.fault]
        if fault.get("by_hand") and not _failures(window, history, fault["seen_by"]):
            who = " or ".join(fault["seen_by"]) or "any probe"
            name = f"{window.kind} (faults[{window.fault}])"
            yield f"nothing shows that {name} was done: no attempt of {who} failed under it"


def _failures(window: FaultWindow, history: History, probes: Sequence[str] = ()) -> bool:
    """Whether an attempt of one of the probes (none named: any) failed that it may have met."""
    began = min(pull.at for pull in history.pulls if pull.fault == window.fault)
    until = math.inf if window.lifting is None else window.lifting
    bad = (s for s in history.bad_since(began) if s.start < until)
    return any(not probes or s.probe in probes for s in bad)
