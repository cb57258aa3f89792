"""One rule for each kind of objective: what was wanted, what was measured, did it hold?

A rule never guesses: when the objective lies within what the measurement leaves open, or when
evidence is missing, the value is "unknown".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from chaos.verdict import spread
from chaos.verdict.data_loss import in_order, no_duplicates, rpo, stale
from chaos.verdict.finding import TOO_COARSE, Finding, Result, Value, compared, percent, span
from chaos.verdict.measurement import Measurement, Times
from chaos.verdict.phases import detects_within, fails_back_within, fails_over_within
from probes.durations import show
from probes.outages import Interval

RECOVER_WITHIN = "recover_within"
# For which objectives the reason repeats what bad attempts said, and which ones.
SAID = {
    "rto": "during",
    "full_capacity_within": "during",
    "availability": "during",
    "unaffected": "during",
    "heals_within": "after",
    RECOVER_WITHIN: "after",
}


def results(objectives: dict[str, Any], m: Measurement, at: Times) -> Iterator[Result]:
    """The result of each objective that was given for the probe, in the order of RULES."""
    for name, rule in RULES.items():
        wanted = objectives.get(name)
        if wanted is not None and wanted is not False:
            untested = at.injected is None
            finding = _UNTESTED if untested else rule(spread.longest(wanted), m, at)
            yield _result(name, wanted, finding, m)


def steady_again(within: float, m: Measurement, at: Times) -> Result:
    """Whether the probe was good again in time once all was put back, objective or not."""
    return _result(RECOVER_WITHIN, within, _steady(within, m, at), m)


def _result(name: str, wanted: Any, finding: Finding, m: Measurement) -> Result:
    value, reason = _sighted(finding, m)
    of_many = wanted if isinstance(wanted, dict) else None
    if of_many:
        value, reason = "unknown", f"{reason}; {spread.alone(of_many)}"
    return Result(
        probe=m.probe,
        objective=name,
        wanted=spread.longest(wanted),
        spread=of_many,
        measured=finding.measured,
        value=value,
        how=finding.how,
        reason=f"{m.probe} {reason}{_said(name, m) if value == 'broken' else ''}",
    )


def _said(name: str, m: Measurement) -> str:
    """How often it was down, and what the bad attempts said, where that has broken the promise."""
    when = SAID.get(name, "")
    down = f"; it was down {m.times_down} times" if when == "during" and m.times_down > 1 else ""
    said = m.complaints.get(when)
    if name == "unaffected":
        said = said or m.complaints.get("after")
    return down + (f"; {said}" if said else "")


def _sighted(finding: Finding, m: Measurement) -> tuple[Value, str]:
    """The finding, unless the measuring itself was disturbed."""
    if finding.value == "unknown":
        return finding.value, finding.reason
    if m.longest_gap is not None and m.longest_gap > m.every + m.timeout:
        # When the process stands still, its timers give up attempts that had been answered.
        still = f"no attempt began for {show(m.longest_gap)}: the measuring itself stood still"
        return "unknown", f"cannot be judged: {still}"
    if m.crashed and finding.value == "held":
        # What a broken probe missed may be bad; what it saw to be bad was.
        times = "once" if m.crashed == 1 else f"{m.crashed} times"
        broke = f"the probe itself broke {times} and may have missed something: {m.crash}"
        return "unknown", f"cannot be judged: {broke}"
    return finding.value, finding.reason


def _rto(wanted: float, m: Measurement, at: Times) -> Finding:
    found = m.recovery
    if found is None or found.rto is None:
        return _UNSEEN
    if found.kind == "unaffected":
        return Finding("held", "never failed while the fault was on", found.rto, "unaffected")
    value, lasted = compared(found.rto, wanted), f"{span(found.rto)}, {show(wanted)} allowed"
    if found.kind == "during":
        return _failover(value, lasted, found.rto, at)
    if found.kind == "after":
        told, how = "recovered only after the fault was lifted", "after lifting"
        doubt, longer = "was not shown to recover before the fault was lifted", "a longer fault"
    else:
        told, how = "did not recover", "never"
        doubt, longer = "was not shown to recover before the observation ended", "a longer one"
    if value == "broken":
        return Finding("broken", f"{told}: {lasted}", found.rto, how)
    return Finding("unknown", f"{doubt}: {lasted}; {longer} would tell", found.rto, how)


def _failover(value: Value, lasted: str, rto: Interval, at: Times) -> Finding:
    if value != "broken" and _partly_lifted(rto, at):
        why = f"was back after {lasted}, but one of the faults had been lifted by then"
        return Finding("unknown", f"{why}: no proof of a failover", rto, "after lifting")
    close = f"; {TOO_COARSE}" if value == "unknown" else ""
    return Finding(value, f"was back after {lasted}{close}", rto, "failover")


def _partly_lifted(rto: Interval, at: Times) -> bool:
    """Whether the recovery may be owed to the end of one of several faults."""
    if at.injected is None or at.first_lifting is None or at.first_lifting == at.lifting:
        return False
    return at.injected + rto.high > at.first_lifting


def _heals_within(wanted: float, m: Measurement, at: Times) -> Finding:
    if at.lifted is None:
        return _NOT_LIFTED
    return _healed(m.heals, wanted, "healed")


def _steady(within: float, m: Measurement, at: Times) -> Finding:
    if at.injected is None:
        return _UNTESTED
    return _NOT_LIFTED if at.released is None else _healed(m.steady, within, "was steady again")


def _healed(measured: Interval | None, wanted: float, verb: str) -> Finding:
    if measured is None:
        return Finding("unknown", "made no attempt after the fault was lifted")
    value = compared(measured, wanted)
    if measured.high == math.inf:
        told = f"was not shown to be good again: {span(measured)} after the fault was lifted"
        return Finding(value, f"{told}, {show(wanted)} allowed", measured, "never")
    close = f"; {TOO_COARSE}" if value == "unknown" else ""
    told = f"{verb} {span(measured)} after the fault was lifted, {show(wanted)} allowed{close}"
    return Finding(value, told, measured)


def _availability(wanted: float, m: Measurement, _: Times) -> Finding:
    if m.availability is None:
        return _UNSEEN
    told = f"was available to {percent(m.availability)} of the attempts, {percent(wanted)} wanted"
    value = compared(Interval(-m.availability, -m.availability), -wanted)
    return Finding(value, told, Interval(m.availability, m.availability))


def _unaffected(_: bool, m: Measurement, __: Times) -> Finding:
    if m.availability is None:
        return _UNSEEN
    if m.bad_since:
        failed = f"{m.bad_since} attempt{'s' if m.bad_since > 1 else ''} failed"
        return Finding("broken", f"was to be unaffected, but {failed}", m.down_since)
    return Finding("held", "was unaffected", m.down_since, "unaffected")


_UNTESTED = Finding("unknown", "was not put to the test")
_NOT_LIFTED = Finding("unknown", "cannot be judged: the fault was not lifted")
_UNSEEN = Finding("unknown", "made no attempt while the fault was on")

Rule = Callable[[Any, Measurement, Times], Finding]

RULES: dict[str, Rule] = {
    "rto": _rto,
    "rpo": rpo,
    "stale": stale,
    "in_order": in_order,
    "no_duplicates": no_duplicates,
    "detects_within": detects_within,
    "fails_over_within": fails_over_within,
    "full_capacity_within": _rto,
    "heals_within": _heals_within,
    "fails_back_within": fails_back_within,
    "availability": _availability,
    "unaffected": _unaffected,
}
