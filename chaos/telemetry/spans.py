"""The trace of a run: a tree of spans, folded from its history and its verdict. Pure.

    drill region-outage
    ├── phase steady … phase judge
    ├── fault 0 region_outage
    │   └── pull 0 reachability us-east-1 …
    └── outage playback …

Attempts are no spans: there are thousands of them, and the metrics have them counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from chaos.history import FaultWindow, History, Pull, lever_name
from chaos.secrets import SECRETS
from chaos.verdict import Verdict
from probes.outages import Outage

Value = str | bool | int | float
ROOT = "drill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span. `key` is its name within the run, `parent` its parent's; the root has none.

    Times are seconds since the run's start. `error` says what went wrong; None: nothing did.
    """

    key: str
    name: str
    start: float
    end: float
    parent: str | None = ROOT
    error: str | None = None
    attributes: dict[str, Value] = field(default_factory=dict)


def spans(history: History, verdict: Verdict) -> list[Span]:
    """All spans of a run, the root first; one that has not ended ends with the run."""
    return [
        _root(history, verdict),
        *_phases(history),
        *(_fault(fault, history) for fault in history.faults),
        *(_pull(pull, history) for pull in history.pulls),
        *_outages(history, verdict),
    ]


def _root(history: History, verdict: Verdict) -> Span:
    experiment = history.experiment
    reason = SECRETS.mask(verdict.reasons[0]) if verdict.reasons else ""
    return Span(
        key=ROOT,
        name=f"drill {experiment['name']}",
        parent=None,
        start=0.0,
        end=history.ended,
        error=reason if verdict.value == "broken" or verdict.exit_code == 4 else None,
        attributes={
            "chaos.run": history.run,
            "chaos.experiment": experiment["name"],
            "chaos.verdict": verdict.value,
            "chaos.exit_code": verdict.exit_code,
            "chaos.reason": reason,
            "chaos.environment": history.header["environment"]["kind"],
            "chaos.speed": float(history.header["speed"]),
        },
    )


def _phases(history: History) -> Iterator[Span]:
    ends = [*(t for _, t in history.phases[1:]), history.ended]
    for number, ((phase, start), end) in enumerate(zip(history.phases, ends, strict=False)):
        yield Span(key=f"phase {number}", name=f"phase {phase}", start=start, end=end)


def _fault(fault: FaultWindow, history: History) -> Span:
    start = fault.began if fault.began is not None else history.ended
    return Span(
        key=f"fault {fault.fault}",
        name=f"fault {fault.kind}",
        start=start,
        end=history.ended if fault.ended is None else max(start, fault.ended),
        error=SECRETS.mask(fault.error) or None,
        attributes={
            "chaos.fault": fault.fault,
            "chaos.fault.kind": fault.kind,
            "chaos.fault.lifted": fault.ended is not None,
        },
    )


def _pull(pull: Pull, history: History) -> Span:
    """From before the lever moved until it was back. Its values may be secret and stay here."""
    known = any(fault.fault == pull.fault for fault in history.faults)
    return Span(
        key=f"pull {pull.pull}",
        name=f"pull {pull.lever.get('kind', 'lever')}",
        parent=f"fault {pull.fault}" if known else ROOT,
        start=pull.at,
        end=history.ended if pull.ended is None else max(pull.at, pull.ended),
        error=SECRETS.mask(pull.error) or pull.outcome
        if pull.outcome in ("failed", "conflict", "open")
        else None,
        attributes={
            "chaos.pull": pull.pull,
            "chaos.lever": SECRETS.mask(lever_name(pull.lever)),
            "chaos.pull.outcome": pull.outcome,
        },
    )


def _outages(history: History, verdict: Verdict) -> Iterator[Span]:
    for probe, measured in verdict.probes.items():
        for number, outage in enumerate(measured.outages):
            yield _outage(f"outage {probe} {number}", probe, outage, history.ended)


def _outage(key: str, probe: str, outage: Outage, over: float) -> Span:
    """As long as it may have been; its attributes have the bounds that the attempts allow."""
    attributes: dict[str, Value] = {
        "chaos.probe": probe,
        "chaos.outage.bad_attempts": outage.count,
        "chaos.outage.began.low": outage.began.low,
        "chaos.outage.began.high": outage.began.high,
        "chaos.outage.ended": outage.ended is not None,
    }
    if outage.ended is not None:
        attributes["chaos.outage.ended.low"] = outage.ended.low
        if outage.ended.high < math.inf:
            attributes["chaos.outage.ended.high"] = outage.ended.high
    high = over if outage.ended is None else min(over, outage.ended.high)
    return Span(
        key=key,
        name=f"outage {probe}",
        start=outage.began.low,
        end=max(outage.began.low, high),
        error=f"{probe} was down",
        attributes=attributes,
    )
