"""The rules for the phases of a recovery: noticed, decided, moved elsewhere, moved home again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from chaos.history import History
from chaos.marks import Mark
from chaos.verdict.finding import TOO_COARSE, Finding, Result, compared, span
from chaos.verdict.measurement import Measurement, Times
from probes.detection import Detection
from probes.durations import show
from probes.outages import Interval

MARKED_WITHIN = "marked_within"
TOO_LITTLE = "a longer fault, or more answers under it, would tell"


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of something that was, or was not, to be seen while the fault was on."""

    did: str
    did_not: str
    how_not: str
    already: str
    no_data: str


DETECTED = Words(
    did="detected the fault",
    did_not="did not detect the fault",
    how_not="not detected",
    already="told of a fault before there was one, so it has detected nothing",
    no_data="gave no answer before the fault, or none while it was on",
)
MOVED = Words(
    did="was answered from elsewhere",
    did_not="was never answered from elsewhere",
    how_not="no failover",
    already="was answered from elsewhere before the fault, so it has not failed over",
    no_data="gave no answer that names its region before the fault, or none while it was on",
)


def detects_within(wanted: float, m: Measurement, at: Times) -> Finding:
    """Whether a probe that tells of faults told of this one in time."""
    return _seen(m.detection, wanted, at, DETECTED)


def fails_over_within(wanted: float, m: Measurement, at: Times) -> Finding:
    """Whether another region than before answered well in time."""
    if (several := _several(m)) is not None:
        return several
    return _seen(m.failover.away if m.failover else None, wanted, at, MOVED)


def fails_back_within(wanted: float, m: Measurement, at: Times) -> Finding:
    """Whether, once the fault was gone, the region of before was soon the only one to answer."""
    if at.lifted is None:
        return Finding("unknown", "cannot be judged: the fault was not lifted")
    if (several := _several(m)) is not None:
        return several
    if m.failover is None or m.failover.back is None:
        return Finding("unknown", "gave no answer that names its region after the lifting")
    home, back = m.failover.home[0], m.failover.back
    value, lasted = compared(back, wanted), f"{span(back)} after the fault was lifted"
    if back.high == math.inf:
        told = f"was not shown to be answered from {home} again: {lasted}, {show(wanted)} allowed"
        return Finding(value, told, back, "no failback")
    close = f"; {TOO_COARSE}" if value == "unknown" else ""
    told = f"was answered from {home} alone {lasted}, {show(wanted)} allowed{close}"
    return Finding(value, told, back)


def marked(history: History, at: Times) -> Iterator[Result]:
    """The result of each mark that people had promised to make."""
    marks: dict[str, float] = history.experiment.get("marks", {})  # older journals have none
    for name, within in marks.items():
        finding = _marked(within, history.mark(name), at)
        yield Result(
            probe=name,
            objective=MARKED_WITHIN,
            wanted=within,
            measured=finding.measured,
            value=finding.value,
            how=finding.how,
            reason=f"{name} {finding.reason}",
        )


def _marked(within: float, mark: Mark | None, at: Times) -> Finding:
    if at.injected is None:
        return Finding("unknown", "was not put to the test")
    if mark is None:
        waited = Interval(at.over - at.injected, math.inf)
        told = f"was not marked while the fault was on: {span(waited)}"
        value = compared(waited, within)
        return Finding(value, f"{told}, {show(within)} allowed", waited, "not marked")
    if mark.at.high <= at.injected:
        return Finding("unknown", "was marked before anything was broken")
    after = mark.at.since(at.injected)
    value = compared(after, within)
    close = "; too close to the objective to tell" if value == "unknown" else ""
    told = f"was marked after {span(after)}, {show(within)} allowed{close}"
    return Finding(value, told, after)


def _several(m: Measurement) -> Finding | None:
    """Where several regions answered before the fault, no answer tells of a failover."""
    if m.failover is None or len(m.failover.home) < 2:
        return None
    regions = ", ".join(m.failover.home)
    return Finding("unknown", f"was answered from {regions} before the fault: no region is home")


def _seen(found: Detection | None, wanted: float, at: Times, words: Words) -> Finding:
    if found is None or found.after is None:
        already = found is not None and found.kind == "already"
        return Finding("unknown", words.already if already else words.no_data)
    # That it was silent once the fault was lifted does not show that it was so under the fault.
    value = compared(Interval(min(found.after.low, found.silent), found.after.high), wanted)
    seen, lasted = found.kind == "seen", f"{span(found.after)}, {show(wanted)} allowed"
    if value == "held" and (at.injected or 0.0) + found.after.high > at.over:
        late = f"{words.did} after {lasted}, but it may have been lifted by then: no proof"
        return Finding("unknown", late, found.after)
    close = TOO_COARSE if seen and found.after.low <= wanted else TOO_LITTLE
    told = f"{lasted}; {close}" if value == "unknown" else lasted
    if seen:
        return Finding(value, f"{words.did} after {told}", found.after)
    return Finding(value, f"{words.did_not}: {told}", found.after, words.how_not)
