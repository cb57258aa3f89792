"""Why a run cannot give a verdict at all: it did not go as planned, or the fault did not bite."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from chaos.environments import endpoint as endpoints
from chaos.history import FaultWindow, History, Pull, lever_name, setting
from chaos.verdict.measurement import Measurement
from probes.durations import show
from probes.outages import Window
from probes.probe import Sample

FIS = "fis_experiment"  # the lever that makes AWS itself break something
# Levers that count all that meets them, so that no failure is owed to one that has counted none.
# (At a cut the kernel refuses some packets without a word to anybody.)
MISS_NOTHING = frozenset({"api_rule", "dns_rule", "link_rule"})


def doubts(history: History, measured: Iterable[Measurement]) -> list[str]:
    """One sentence for each reason, the decisive one first; empty when all went as planned."""
    if history.phase("inject") is None:
        return list(history.stops) or ["the run ended before anything was broken"]
    found = [*_emulated(history, measured), *_faults(history), *_pulls(history.pulls)]
    found += [*_expired(history), *_unreached(history, measured)]
    found += [f"stopped early: {why}" for why in history.stops if why not in found]
    if not history.finished:
        found.append("the journal ends before the run did")
    if any(pull.outcome == "gone" and not pull.late for pull in history.pulls):
        found.append("the environment ended during the run")
    return found or list(_unnoticed(history, measured))


def _emulated(history: History, measured: Iterable[Measurement]) -> Iterator[str]:
    """What an emulator says that it has done proves nothing where only AWS itself could do it."""
    where = history.header["environment"]
    endpoint = where.get("endpoint")
    if where["kind"] != "aws" or not endpoint or endpoints.is_real(endpoint):
        return
    if any(pull.lever["kind"] == FIS for pull in history.pulls):
        yield f"{endpoint} is not AWS, and no emulator carries out what FIS is asked to do"
    quiet = {m.probe for m in measured if m.recovery and m.recovery.kind == "unaffected"}
    objectives = history.experiment["objectives"].items()
    if unaffected := [name for name, o in objectives if name in quiet or o.get("unaffected")]:
        why = f"that {', '.join(unaffected)} was unaffected proves nothing"
        yield f"{endpoint} is not AWS and cuts nothing, so {why}"


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
            why = f": {pull.error}" if pull.error else ""
            yield f"{lever} was back before the run put it back: the fault did not last{why}"


def _unreached(history: History, measured: Iterable[Measurement]) -> Iterator[str]:
    """A cut in an account reaches what the experiment names, and perhaps not the ledger."""
    if history.header["environment"]["kind"] != "aws":
        return
    for m in measured:
        found = [r.balance for r in m.readings if r.balance and r.when == "failover"]
        behind = any(balance.lost or balance.lost_after for balance in found)
        wanted = history.experiment["objectives"].get(m.probe, {})
        promised = any(wanted.get(name) is not None for name in ("rpo", "stale"))
        if promised and found and not behind and not m.bad_since:
            none = "no write failed, and none was missing while it was on"
            yield f"nothing shows that a fault has reached {m.probe}: {none}"


def _expired(history: History) -> Iterator[str]:
    """AWS lets go of a Deny at the time in it, and its text stays in the policy all the same."""
    began, speed = history.header["wall"], history.header["speed"]
    lifting = {window.fault: window.lifting for window in history.faults}
    for pull in history.pulls:
        until = pull.value.get("until") if isinstance(pull.value, dict) else None
        if until is None or (end := lifting.get(pull.fault)) is None:
            continue
        lifted = datetime.fromisoformat(began) + timedelta(seconds=end / speed)
        if (early := (lifted - datetime.fromisoformat(until)).total_seconds()) > 0:
            name = lever_name(pull.lever)
            yield f"AWS let go of {name} {show(early)} before the fault was to end, at {until}"


def _unnoticed(history: History, measured: Iterable[Measurement]) -> Iterator[str]:
    """Something must have met every fault, unless all that was promised is that nothing fails.

    That nothing failed is no news of a fault that counts all it meets and has met nothing.
    """
    given = {
        objective
        for objectives in history.experiment["objectives"].values()
        for objective, wanted in objectives.items()
        if wanted is not None and wanted is not False
    }
    yield from _unseen(history)
    unmet = list(_unmet(history))
    yield from unmet
    if unmet or given == {"unaffected"}:
        return
    failed = any(m.recovery and m.recovery.kind in ("during", "after", "never") for m in measured)
    if not failed and not any(pull.noticed for pull in history.pulls):
        yield "nothing noticed the fault: no attempt failed and no request met it"
        return
    for window in history.faults:
        pulls = [p for p in history.pulls if p.fault == window.fault]
        name = f"{window.kind} (faults[{window.fault}])"
        # A fault whose levers do not count may have met traffic that nobody knows of.
        if {p.noticed for p in pulls} - {None} == {0} and not _failures(
            window, history, alone=True
        ):
            under = "under it alone" if _failures(window, history) else "under it"
            yield f"nothing noticed {name}: no attempt failed {under} and no request met it"


def _unmet(history: History) -> Iterator[str]:
    """The faults of which it is certain that nothing has met them."""
    for window in history.faults:
        pulls = [p for p in history.pulls if p.fault == window.fault]
        if all(p.noticed == 0 and p.lever["kind"] in MISS_NOTHING for p in pulls):
            name = f"{window.kind} (faults[{window.fault}])"
            yield f"nothing noticed {name}: no request met it"


def _unseen(history: History) -> Iterator[str]:
    """What others break is known from probes alone, whatever was promised.

    A failure under two faults may be owed to the other one, unless who wrote the experiment says
    by which probe this one is seen.
    """
    for window in history.faults:
        fault = history.experiment["faults"][window.fault]
        if not fault.get("by_hand"):
            continue
        seen_by, name = fault["seen_by"], f"{window.kind} (faults[{window.fault}])"
        if _failures(window, history, seen_by, alone=not seen_by):
            continue
        who = " or ".join(seen_by) or "any probe"
        under = (
            "it" if not _failures(window, history, seen_by) else "it alone; name some in seen_by"
        )
        yield f"nothing shows that {name} was done: no attempt of {who} failed under {under}"


def _failures(
    window: FaultWindow, history: History, probes: Sequence[str] = (), *, alone: bool = False
) -> bool:
    """Whether an attempt of one of the probes (none named: any) failed that it may have met.

    `alone`: and that no other fault may have met, to which it could be owed.
    """
    others = [_on(w, history) for w in history.faults if alone and w.fault != window.fault]
    began, _ = _on(window, history)
    until = math.inf if window.lifting is None else window.lifting
    bad = (s for s in history.bad_since(began) if s.start < until)
    owed = (s for s in bad if not any(_met(s, other) for other in others))
    return any(not probes or s.probe in probes for s in owed)


def _on(window: FaultWindow, history: History) -> Window:
    """From the first pull of a fault to the return of its last lever."""
    began = min(pull.at for pull in history.pulls if pull.fault == window.fault)
    return began, math.inf if window.ended is None else window.ended


def _met(sample: Sample, on: Window) -> bool:
    return sample.start < on[1] and max(sample.start, sample.end) > on[0]
