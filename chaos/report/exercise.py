"""A run as auditors read it: what was stated, its scope, its steps in UTC, what is to be seen to.

What nobody has said is "not stated": nothing here is made up. The same rows are in report.md, in
report.html and in the record of the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from chaos.called import Call
from chaos.history import History, lever_name, setting
from chaos.report import words
from chaos.report.answers import Answer, told
from chaos.report.findings import found, lacks
from chaos.verdict import Verdict
from probes.durations import show

NOT_STATED = "not stated"
Rows = list[tuple[str, str]]
ROLES = ("Carried out by", "Reviewed by", "Accepted by")
FIGURES = (
    "intervals: the truth lies between the last bad and the first good attempt; clocks start at the"
    " first injection, for healing at the return of the last lever"
)
JUDGED = "held only where all of the interval is within the objective; never guessed"
CALLS = (
    "Each call that was to change something, as it was made and undone. Reads, what probes send,"
    " and what the tool writes into its own undo log are not among them."
)
# The outcomes of levers that were read once more at the end.
READ = ("restored", "already", "kept", "conflict")
PHASES = {
    "steady": "waiting for a steady state",
    "inject": "the fault begins to be injected",
    "hold": "the fault is on",
    "rollback": "everything is put back",
    "recover": "waiting for the recovery",
    "judge": "the observation is over",
}
STATED = {
    "purpose": "Purpose",
    "scenario": "Scenario",
    "business_impact_analysis": "Business impact analysis",
    "assumptions": "Assumptions",
    "expected_outcome": "Expected outcome",
    "owner": "Owner of the system",
    "change": "Change or ticket",
}


def exercise(history: History, verdict: Verdict, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """All of it, as JSON, with texts that are ready to be read."""
    return {
        "stated": stated(history),
        "when": when(history),
        "scope": scope(history),
        "method": method(history),
        "steps": [[utc(history, t), show(t), what] for t, what in steps(history, verdict)],
        "findings": findings(history, verdict, answers),
        "calls": [call_row(call, history) for call in history.calls],
        "lacks": len(lacks(history)),
        "roles": [*ROLES],
    }


def stated(history: History) -> Rows:
    """What people have said of the run; of older runs and where nobody did, `not stated`."""
    header, about = history.header, history.experiment.get("about", {})
    rows = [(name, _text(about.get(key))) for key, name in STATED.items()]
    rows[1:1] = [("Why this run", _text(header.get("why")))]
    rows += [
        ("Carried out by", _text(header.get("who"))),
        ("Under the account", _text(header.get("ran_as"))),
        ("Authorised by", _text(header.get("authorised_by"))),
        ("Previous test, as stated", _text(about.get("previous_test"))),
        ("Previous run here", header.get("previous") or "none in this directory"),
    ]
    return rows


def when(history: History) -> Rows:
    """Dates in UTC, and how long it took."""
    length, speed = history.ended, history.header["speed"]
    lasted = show(length)
    if speed != 1:
        lasted = f"{show(length / speed)} of the wall, {lasted} of lab time ({speed:g} times)"
    rows = [("Began (UTC)", utc(history, 0.0)), ("Ended (UTC)", utc(history, length))]
    rows.append(("Duration", lasted))
    if (injected := history.first_injection) is not None:
        rows.append(("First injection (UTC)", utc(history, injected)))
    return rows


def scope(history: History) -> Rows:
    """Where it was, what was broken there and how really, and what was watched."""
    rows = [("Where", words.place(history)), *words.around(history)]
    faults = zip(history.experiment["faults"], history.header["fidelity"], strict=True)
    for number, (settings, fidelity) in enumerate(faults):
        levers = [lever_name(p.lever) for p in history.pulls if p.fault == number]
        really = words.FIDELITY.get(fidelity, fidelity)
        lasts = f"for {show(settings['lasts'])}" if settings.get("lasts") else "for good"
        of_fault = f"{lasts}; {really}; targets: {', '.join(levers) or 'none was reached'}"
        rows.append((f"Fault {words.fault(settings)}", of_fault))
    return [*rows, *words.coverage(history)]


def method(history: History) -> Rows:
    """How it was measured."""
    rows: Rows = [("Figures", FIGURES), ("Verdict", JUDGED), ("Tool", _tool(history))]
    for name, probe in history.experiment["probes"].items():
        grid = f"every {show(probe['every'])}, given up after {show(probe['timeout'])}"
        count = words.count(len(history.samples.get(name, ())), "attempt")
        rows.append((f"Probe {name}", f"{probe['kind']}, {grid}; {count}, all in the journal"))
    return rows


def steps(history: History, verdict: Verdict) -> list[tuple[float, str]]:
    """What happened, in order of time: run seconds, and one sentence."""
    each = chain(_phases(history), _faults(history), _pulls(history), _outages(verdict))
    others = chain(_calls(history), _reads(history), _marks(history))
    return sorted([*each, *others], key=lambda step: step[0])


def _phases(history: History) -> Iterator[tuple[float, str]]:
    for phase, t in history.phases:
        yield t, PHASES.get(phase, phase)
    if history.stops and history.asked is not None:
        yield history.asked, f"asked to stop: {history.stops[0]}"
    yield history.ended, "the run ended" if history.finished else "the journal ends"


def _faults(history: History) -> Iterator[tuple[float, str]]:
    for window in history.faults:
        name = words.fault(history.experiment["faults"][window.fault])
        moments = {"is on": window.injected, "is being lifted": window.lifting}
        moments["is lifted"] = window.ended
        yield from ((t, f"{name} {what}") for what, t in moments.items() if t is not None)


def _pulls(history: History) -> Iterator[tuple[float, str]]:
    for pull in history.pulls:
        name = lever_name(pull.lever)
        yield pull.at, f"{name}: from {setting(pull.prior)} to {setting(pull.value)}"
        if pull.done is not None:
            yield pull.done, f"{name}: read again, is {setting(pull.value)}"
        if pull.ended is not None:
            reads = f"; reads {setting(pull.found)}" if pull.outcome in READ else ""
            yield pull.ended, f"{name}: {words.OUTCOMES[pull.outcome]}{reads}"


def _calls(history: History) -> Iterator[tuple[float, str]]:
    for call in history.calls:
        answered = f"failed: {call.error}" if call.error else "done"
        known = f", request {call.request_id}" if call.request_id else ""
        where = f" in {call.region}" if call.region else ""
        yield call.ended, f"called {call.service} {call.operation}{where}: {answered}{known}"


def _outages(verdict: Verdict) -> Iterator[tuple[float, str]]:
    """Each turn when it was known: an attempt that a fault has met may have begun before it."""
    for name, measured in verdict.probes.items():
        word = "rings" if measured.detection else "is down"
        for outage in measured.outages:
            yield outage.began.high, f"{name} {word}"
            if outage.ended is not None:
                yield outage.ended.high, f"{name} is {'silent' if measured.detection else 'back'}"


def _reads(history: History) -> Iterator[tuple[float, str]]:
    for read in history.ledgers:
        found_ = f"failed: {read.error}" if read.error else words.count(len(read.found), "write")
        yield read.t, f"{read.probe} was read: {found_}"


def _marks(history: History) -> Iterator[tuple[float, str]]:
    for mark in history.marks:
        by = f", by {mark.by}" if mark.by else ""
        yield mark.at.high, f"marked: {mark.what}{by}"


def call_row(call: Call, history: History) -> list[str]:
    """When, what for, in which account, what, in which region, AWS's request id, the answer."""
    return [
        utc(history, call.began),
        "undo" if call.undo else "fault",
        call.account or "–",
        f"{call.service} {call.operation}",
        call.region or "–",
        call.request_id or "–",
        call.error or "done",
    ]


def findings(
    history: History, verdict: Verdict, answers: Mapping[str, Answer]
) -> list[dict[str, Any]]:
    """Each with what was said of it, null for what was not."""
    return [
        {"id": one.id, "kind": one.kind, "what": one.what, **told(answers.get(one.id))}
        for one in found(history, verdict)
    ]


def answered(finding: Mapping[str, Any]) -> str:
    """What was said of a finding besides owner and date, on one line."""
    parts = [finding["action"]] if finding["action"] else []
    if accepted := finding["accepted"]:
        until = f" until {accepted['until']}" if accepted["until"] else ""
        parts.append(f"risk accepted by {accepted['by']}{until}: {accepted['because']}")
    return "; ".join(parts) or NOT_STATED


def utc(history: History, t: float) -> str:
    """The wall's time of a moment of the run, in UTC: `2026-11-21 10:00:02.500`."""
    began = datetime.fromisoformat(history.header["wall"])
    moment = began + timedelta(seconds=t / history.header["speed"])
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _tool(history: History) -> str:
    versions, tool = history.header.get("versions"), f"chaos {history.header['tool']}"
    if versions is None:
        return tool
    packages = (f"{name} {version}" for name, version in versions["packages"].items())
    return f"{tool} (code {versions['code'][:16]}), Python {versions['python']}, " + ", ".join(
        packages
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or NOT_STATED
    return str(value) if value else NOT_STATED
