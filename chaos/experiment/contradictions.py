"""What is right piece by piece and cannot be together. Pure: it looks at an experiment's parts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic_core import InitErrorDetails

from chaos.experiment import accounts as of_accounts
from chaos.experiment.accounts import Account
from chaos.experiment.objectives import Objective, SteadyState, StopCondition
from chaos.experiment.spread import longest
from chaos.faults.fault import Fault
from chaos.levers import KINDS as LEVERS
from chaos.schema import did_you_mean, problem
from probes.durations import show
from probes.probe import Probe

# Between two faults that are the same: the first has to be put back before the second.
SPARE = 10.0
IN_FLIGHT = 100  # attempts of one probe that may hang at the same time
# What it takes to show that a promise was kept, besides its own time and a timeout.
PROOF = {
    "rto": "{confirm} more attempts",
    "full_capacity_within": "{confirm} more attempts",
    "detects_within": "one more attempt",
    "fails_over_within": "one more attempt",
}
TELLS = "tells of faults and has none itself; write detects_within, heals_within or unaffected"
SUFFERS = ("rto", "availability", "full_capacity_within")  # what is promised of a system alone
TELLS_NOT = "does not tell of faults, as cloudwatch_alarm does"
NO_LEDGER = "keeps no ledger of what it wrote"
# What is promised of a ledger: what its kind has to be able to, and what is said where it is not.
OF_LEDGERS = {
    "rpo": ("ledger", NO_LEDGER),
    "stale": ("ledger", NO_LEDGER),
    "in_order": ("ordered", "is read in an order that says nothing about that of the writes"),
    "no_duplicates": ("repeats", "cannot hold one number twice, so there is nothing to prove"),
}

Found = Iterator[InitErrorDetails]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of an experiment. None stands for one that is wrong in itself."""

    accounts: dict[str, Account | None] = field(default_factory=dict)
    steady_state: SteadyState | None = None
    probes: dict[str, Probe | None] | None = None
    faults: list[Fault | None] = field(default_factory=list)
    objectives: dict[str, Objective | None] = field(default_factory=dict)
    stop_when: list[StopCondition | None] = field(default_factory=list)
    allow_irreversible: list[str] | None = None
    recover_within: float | None = None
    marks: dict[str, float] | None = None


def contradictions(parts: Parts) -> list[InitErrorDetails]:
    """Everything about these parts that cannot be, each with its path in the experiment."""
    return [found for check in CHECKS for found in check(parts)]


def lifted_after(faults: list[Fault]) -> float:
    """Seconds from the first injection until the last fault is lifted; 0 when none ever is."""
    return max((f.at + f.lasts for f in faults if f.lasts is not None), default=0.0)


def observed_for(objective: Objective, probe: Probe) -> dict[str, float]:
    """By promise: the seconds from the first injection until it can be known whether it was kept.

    Only of those for which the fault has to be on all the while.
    """
    looked = probe.every + probe.timeout
    confirmed = probe.confirm * probe.every + probe.timeout
    proofs = {
        "rto": confirmed,
        "full_capacity_within": confirmed,
        "detects_within": looked,
        "fails_over_within": looked,
    }
    wanted = {promise: getattr(objective, promise) for promise in proofs}
    return {p: longest(time) + proofs[p] for p, time in wanted.items() if time is not None}


def _faults_last(parts: Parts) -> Found:
    for i, fault in enumerate(parts.faults):
        if fault and fault.one_way and fault.lasts is not None:
            what = f"{fault.kind} cannot be lifted, so it has no 'lasts'"
            yield problem("faults", i, "lasts", what=what)
        if fault and not fault.one_way and fault.lasts is None:
            yield problem("faults", i, "lasts", what="is missing; when is the fault to be lifted?")


def _first_fault_at_zero(parts: Parts) -> Found:
    times = [fault.at for fault in parts.faults if fault]
    if times and len(times) == len(parts.faults) and min(times) > 0:
        what = "one fault must be at 0s, because 'at' counts from the first injection"
        yield problem("faults", times.index(min(times)), "at", what=what)


def _accounts_fit(parts: Parts) -> Found:
    yield from of_accounts.contradictions(
        parts.accounts, parts.faults, parts.probes or {}, parts.stop_when
    )


def _consent(parts: Parts) -> Found:
    if parts.allow_irreversible is None:
        return
    one_way = {f.kind for f in parts.faults if f and f.one_way}
    known = one_way
    if not known.issuperset(parts.allow_irreversible):  # or the levers need not be imported
        known = one_way | {kind for kind, lever in LEVERS.items() if lever.irreversible}
    for i, kind in enumerate(parts.allow_irreversible):
        if kind not in known:
            hint = did_you_mean(kind, sorted(known), tell=True)
            what = f"{kind[:60]!r} is nothing that cannot be undone{hint}"
            yield problem("allow_irreversible", i, what=what)
    for i, fault in enumerate(parts.faults):
        if fault and fault.one_way and fault.kind not in parts.allow_irreversible:
            what = f"cannot be undone; to allow it, write allow_irreversible: [{fault.kind}]"
            yield problem("faults", i, "kind", what=what)


def _no_fault_twice(parts: Parts) -> Found:
    until: dict[str, tuple[float, int]] = {}  # by all but its time: until when it is on
    for i, fault in sorted(enumerate(parts.faults), key=lambda pair: pair[1].at if pair[1] else 0):
        if not fault:
            continue
        same = fault.model_dump_json(exclude={"at", "lasts"})
        end, other = until.get(same, (-1.0, i))
        if fault.at < end or (fault.at == end and fault.one_way):
            yield problem("faults", i, what=f"is the same as faults[{other}], which is still on")
        elif not fault.one_way and end >= 0 and fault.at < end + SPARE:
            what = f"comes less than {show(SPARE)} after faults[{other}], which is the same, ends"
            yield problem("faults", i, "at", what=what)
        until[same] = max((end, other), (fault.at + (fault.lasts or 0.0), i))


def _stops_can_be_seen(parts: Parts) -> Found:
    for i, stop in enumerate(parts.stop_when):
        probe = (parts.probes or {}).get(stop.probe) if stop and stop.probe else None
        if stop and stop.down_for and probe and stop.down_for < probe.timeout:
            what = f"is shorter than the timeout of {stop.probe} ({show(probe.timeout)}), "
            what += "before which an attempt that hangs tells nothing"
            yield problem("stop_when", i, "down_for", what=what)
        lasts = lifted_after([fault for fault in parts.faults if fault])
        if stop and stop.longer_than and stop.longer_than <= lasts:
            what = f"would stop every run: the last fault is lifted after {show(lasts)}"
            yield problem("stop_when", i, "longer_than", what=what)


def _probes_keep_pace(parts: Parts) -> Found:
    steady = parts.steady_state
    for name, probe in (parts.probes or {}).items():
        if not probe:
            continue
        if steady and probe.every > steady.for_:
            what = f"is longer than steady_state.for ({show(steady.for_)}): too seldom to tell"
            yield problem("probes", name, "every", what=what)
        if probe.timeout > IN_FLIGHT * probe.every:
            hanging = f"{probe.timeout / probe.every:.0f} attempts could hang at once"
            what = f"{hanging}, {IN_FLIGHT} may; with every: {written(probe.every)}, write "
            what += f"{written(IN_FLIGHT * probe.every, down=True)} or less"
            yield problem("probes", name, "timeout", what=what)
        elif steady and probe.timeout > steady.within:
            what = f"is longer than steady_state.within ({show(steady.within)})"
            yield problem("probes", name, "timeout", what=what)


def _probes_exist(parts: Parts) -> Found:
    if parts.probes is None:
        return
    wanted: list[tuple[str, tuple[str | int, ...]]]
    wanted = [(name, ("objectives", name)) for name in parts.objectives]
    for i, stop in enumerate(parts.stop_when):
        wanted += [(stop.probe, ("stop_when", i, "probe"))] if stop and stop.probe else []
    for name, path in wanted:
        if name not in parts.probes:
            hint = did_you_mean(name, parts.probes, tell=True)
            yield problem(*path, what=f"there is no probe {name[:60]!r}{hint}")


def _witnesses_exist(parts: Parts) -> Found:
    for i, fault in enumerate(parts.faults):
        for j, name in enumerate(getattr(fault, "seen_by", ())):
            if parts.probes is not None and name not in parts.probes:
                hint = did_you_mean(name, parts.probes, tell=True)
                yield problem(
                    "faults", i, "seen_by", j, what=f"there is no probe {name[:60]!r}{hint}"
                )


def _ledgers_can_tell(parts: Parts) -> Found:
    for name, objective, probe in _promised(parts):
        for promise, (power, lacks) in OF_LEDGERS.items():
            wanted = getattr(objective, promise)
            if wanted is not None and wanted is not False and not getattr(probe, power):
                why = lacks if probe.ledger else NO_LEDGER
                what = f"{name} is of kind {probe.kind}, which {why}"
                yield problem("objectives", name, promise, what=what)


def _detects_what_it_promises(parts: Parts) -> Found:
    for name, objective, probe in _promised(parts):
        for promise in SUFFERS if probe.detects else ("detects_within",):
            if getattr(objective, promise) is not None:
                why = TELLS if probe.detects else TELLS_NOT
                what = f"{name} is of kind {probe.kind}, which {why}"
                yield problem("objectives", name, promise, what=what)


def _can_be_shown(parts: Parts) -> Found:
    faults = [f for f in parts.faults if f and f.lasts is not None and not f.one_way]
    if len(faults) < len(parts.faults) or not faults:
        return  # without an end of all faults, it is observed for as long as that takes
    last = max(faults, key=lambda fault: lifted_after([fault]))
    for name, objective, probe in _promised(parts):
        for promise, needed in observed_for(objective, probe).items():
            if needed > lifted_after(faults):
                more = PROOF[promise].format(confirm=probe.confirm)
                within = longest(getattr(objective, promise))
                what = (
                    f"needs {show(needed)} to be shown ({show(within)},"
                    f" {more} and a timeout), and the faults are lifted after"
                    f" {show(lifted_after(faults))}; let faults[{parts.faults.index(last)}] last"
                    f" {written(needed - last.at)} or more"
                )
                yield problem("objectives", name, promise, what=what)


def _healing_can_be_seen(parts: Parts) -> Found:
    lifted = not parts.faults or any(fault is None or not fault.one_way for fault in parts.faults)
    for name, objective in parts.objectives.items():
        for promise in ("heals_within", "fails_back_within"):
            within = getattr(objective, promise, None)
            if within is None:
                continue
            if not lifted:
                what = "no fault here is ever lifted, so nothing heals after one; write rto"
                yield problem("objectives", name, promise, what=what)
            elif parts.recover_within is not None and longest(within) > parts.recover_within:
                what = f"is longer than recover_within ({show(parts.recover_within)})"
                yield problem("objectives", name, promise, what=what)


def _moves_can_be_seen(parts: Parts) -> Found:
    for name, objective, probe in _promised(parts):
        for promise in ("fails_over_within", "fails_back_within"):
            if getattr(objective, promise) is not None and not probe.tells_region:
                what = f"{name} is of kind {probe.kind}, which does not tell who answered, as http"
                yield problem("objectives", name, promise, what=f"{what} does")


def _marks_have_time(parts: Parts) -> Found:
    faults = [f for f in parts.faults if f and f.lasts is not None and not f.one_way]
    if len(faults) < len(parts.faults) or not faults:
        return  # the hold is as long as that takes
    for name, within in (parts.marks or {}).items():
        if within > (until := lifted_after(faults)):
            what = f"is longer than the faults are on ({show(until)}), and a mark counts only then"
            yield problem("marks", name, what=what)


def _promised(parts: Parts) -> Iterator[tuple[str, Objective, Probe]]:
    for name, objective in parts.objectives.items():
        probe = (parts.probes or {}).get(name)
        if objective and probe:
            yield name, objective, probe


def written(seconds: float, *, down: bool = False) -> str:
    """Seconds as a file has them, to the millisecond, never less (or, `down`, never more)."""
    thousandths = round(seconds * 1000, 6)
    whole = math.floor(thousandths) if down else math.ceil(thousandths)
    return f"{whole / 1000:.3f}".rstrip("0").rstrip(".") + "s"


CHECKS = (
    _faults_last,
    _first_fault_at_zero,
    _accounts_fit,
    _consent,
    _no_fault_twice,
    _stops_can_be_seen,
    _probes_keep_pace,
    _probes_exist,
    _witnesses_exist,
    _ledgers_can_tell,
    _detects_what_it_promises,
    _can_be_shown,
    _healing_can_be_seen,
    _moves_can_be_seen,
    _marks_have_time,
)
