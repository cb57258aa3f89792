"""A run and its verdict as the one JSON value that the page draws. Times are run seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from chaos.history import FaultWindow, History, Pull, lever_name, setting
from chaos.report import words
from chaos.report.cells import cells
from chaos.report.distribution import distribution
from chaos.report.ledgers import ledgers
from chaos.report.recovery import steps
from chaos.verdict import Measurement, Result, Times, Verdict, percent
from probes.durations import show
from probes.outages import Interval, Outage
from probes.probe import Sample

# What is drawn as a clock on a lane: from which moment, and in which direction it runs.
CLOCKS = {
    "rto": ("injected", 1),
    "heals_within": ("lifted", 1),
    "detects_within": ("injected", 1),
    "fails_over_within": ("injected", 1),
    "full_capacity_within": ("injected", 1),
    "fails_back_within": ("lifted", 1),
    "rpo": ("injected", -1),
}
# What a figure is called on a lane, where that is not what the promise is called.
FIGURES = {
    "detects_within": "detected after",
    "fails_over_within": "failed over after",
    "full_capacity_within": "full capacity after",
    "fails_back_within": "failed back after",
}
# What a probe of any kind is aimed at: the first of these settings that it has.
TARGETS = ("url", "name", "table", "alarm", "bucket", "queue", "stream", "state_machine")


def page(history: History, verdict: Verdict) -> dict[str, Any]:
    """All that the page shows; JSON without infinities, and the texts ready to be read."""
    header, experiment, at = history.header, history.experiment, verdict.times
    return {
        "name": experiment["name"],
        "wall": header["wall"],
        "speed": header["speed"],
        "to": history.ended,
        "injected": history.first_injection,
        "lifted": at and at.lifted,
        "caveat": [words.place(history), *words.stood_in(experiment)],
        "verdict": {
            "value": verdict.value,
            "reasons": list(_reasons(verdict)),
            "objectives": [_objective(result, verdict) for result in told(verdict)],
        },
        "phases": [list(phase) for phase in history.phases],
        "faults": [_fault(fault, history) for fault in history.faults],
        "probes": [_probe(name, history, verdict) for name in experiment["probes"]],
        "recoveries": [r for name in experiment["probes"] if (r := steps(name, history, verdict))],
        "pulls": [_pull(pull) for pull in history.pulls],
        "pulls_text": pulls_text(history),
        "ledgers": list(ledgers(history, verdict)),
        "notes": [*_stops(history), *_marks(history), *history.notes],
        "facts": list(_facts(history)),
        "file": experiment["file"],
        "sha256": experiment["sha256"],
        "text": experiment["text"],
    }


def _stops(history: History) -> Iterator[str]:
    """Why the run was ended early, and with the first reason how long it took."""
    if history.stops:
        yield f"Stopped: {words.stopped(history)}"
        yield from (f"Stopped: {why}" for why in history.stops[1:])


def _marks(history: History) -> Iterator[str]:
    """What people have marked, when, and who."""
    for mark in history.marks:
        by = f" by {mark.by}" if mark.by else ""
        yield f"Marked as {mark.what} at {show(mark.at.high)}{by}"


def told(verdict: Verdict) -> list[Result]:
    """The results worth a line: being steady again afterwards is one where it decides."""
    decisive = verdict.reasons[:1]
    return [
        r
        for r in verdict.results
        if r.objective != "recover_within" or r.value == "broken" or (r.reason,) == decisive
    ]


def pulls_text(history: History) -> str:
    """How many levers were pulled and what became of them, in one sentence."""
    if not history.pulls:
        return "No lever was pulled: nothing was changed."
    kinds = {"restored": "put back and read again", "already": "already as before"}
    kinds |= {"kept": "kept, since nothing brings them back", "gone": "gone with the environment"}
    outcomes = [pull.outcome for pull in history.pulls]
    parts = [f"{outcomes.count(o)} {text}" for o, text in kinds.items() if o in outcomes]
    if left := len(history.open_pulls):
        parts.append(f"{left} NOT put back")
    return f"{words.count(len(outcomes), 'lever')} pulled: {', '.join(parts)}."


def _reasons(verdict: Verdict) -> Iterator[str]:
    """The decisive one, then those that no line of the objectives tells."""
    told_below = {result.reason for result in verdict.results}
    for number, reason in enumerate(verdict.reasons):
        if number == 0 or reason not in told_below:
            yield reason


def _objective(result: Result, verdict: Verdict) -> dict[str, Any]:
    plain = result.value == "held" and result.objective != "rpo"  # the figures say it all
    plain |= result.reason in verdict.reasons[:1] and bool(result.how)  # the headline does
    return {
        "probe": result.probe,
        "name": words.OBJECTIVES[result.objective],
        "wanted_text": words.wanted(result),
        "measured_text": words.measured(result),
        "value": result.value,
        "how_text": words.HOW.get(result.how, ""),
        "reason": "" if plain else result.reason,
        "scale": _scale(result),
        "drawn": _drawn(result, verdict.times),
    }


def _scale(result: Result) -> dict[str, float] | None:
    """Measured and wanted on one axis from 0; None where there is no figure to compare."""
    if result.measured is None or isinstance(result.wanted, bool):
        return None
    top = 1.0 if result.objective == "availability" else result.wanted * 1.25
    low, high = (min(bound, top) for bound in (result.measured.low, result.measured.high))
    return {"low": low, "high": high, "limit": result.wanted, "top": top}


def _drawn(result: Result, at: Times | None) -> dict[str, Any] | None:
    clock, way = CLOCKS.get(result.objective, ("", 0))
    start = getattr(at, clock, None)
    if start is None or isinstance(result.wanted, bool):
        return None
    found = result.measured
    name = words.OBJECTIVES[result.objective]
    return {
        "from": start,
        "limit": start + way * result.wanted,
        "low": found and start + way * found.low,
        "high": found and _bounded(start + way * found.high),
        "name": f"{name} {show(result.wanted)}",
        "text": f"{FIGURES.get(result.objective, name)} {words.span(found)}",
    }


def _fault(window: FaultWindow, history: History) -> dict[str, Any]:
    one_way = window.injected is not None and window.lifting is None
    # What nothing lifts is shown until the run no longer waits for the system.
    until = window.ended or (one_way and history.phase("rollback")) or history.ended
    return {
        "name": words.fault(history.experiment["faults"][window.fault]),
        "from": window.began,
        "to": window.ended,
        "until": until,
        "one_way": one_way,
        "error": window.error,
    }


def _probe(name: str, history: History, verdict: Verdict) -> dict[str, Any]:
    samples = history.samples.get(name, ())
    settings = history.experiment["probes"][name]
    found = verdict.probes.get(name)
    steady = next(
        (r for r in verdict.results if r.probe == name and r.objective == "recover_within"), None
    )
    return {
        "name": name,
        "target": next((str(settings[k]) for k in TARGETS if k in settings), ""),
        "bad_word": "alarm" if found and found.detection else "down",
        "says": _says(found),
        "to": min(samples[-1].due + settings["every"], history.ended) if samples else 0.0,
        "cells": cells(samples, _close_look(verdict.times)),
        "attempts": len(samples),
        "crashed": sum(sample.crashed for sample in samples),
        "availability_text": _availability(found),
        "downtime_text": words.span(found.downtime if found else None),
        "steady_text": words.span(steady.measured if steady else None),
        "outages": [_outage(outage, samples) for outage in found.outages] if found else [],
        "latency": found and {when: asdict(latency) for when, latency in found.latency.items()},
        "spread": distribution(samples, verdict.times),
    }


def _close_look(at: Times | None) -> tuple[float, float] | None:
    """The part of the run that is shown in most detail: the fault, and some of what follows."""
    if at is None or at.injected is None:
        return None
    length = at.over - at.injected
    return at.injected - length / 5, at.over + length / 2


def _says(found: Measurement | None) -> str:
    """The lane in a few words, for its heading and for those who cannot see it."""
    if found and found.detection and found.detection.after:
        seen = "detected after" if found.detection.kind == "seen" else "not detected:"
        return f"{seen} {words.span(found.detection.after)}"
    if found is None or found.downtime is None:
        return f"{found.good} of {found.attempts} attempts good" if found else ""
    if not found.bad:
        return "no attempt failed"
    return f"{_availability(found)} good while the fault was on, down {words.span(found.downtime)}"


def _availability(found: Measurement | None) -> str:
    if found is None or found.availability is None or found.detection:
        return "–"  # an alarm that rings is not one that fails
    return percent(found.availability)


def _outage(outage: Outage, samples: tuple[Sample, ...]) -> dict[str, Any]:
    last = outage.ended.low if outage.ended else math.inf
    errors = (s.error for s in samples if not s.ok and outage.began.low <= s.start <= last)
    return {
        "from": outage.began.low,
        "to": outage.ended and outage.ended.high,
        "text": words.span(_length(outage)),
        "attempts": outage.count,
        "error": next(errors, ""),
    }


def _length(outage: Outage) -> Interval:
    """How long it lasted: at least and at most."""
    ended = outage.ended or Interval(math.inf, math.inf)
    low = 0.0 if outage.ended is None else max(0.0, ended.low - outage.began.high)
    return Interval(low, ended.high - outage.began.low)


def _pull(pull: Pull) -> dict[str, Any]:
    found = pull.outcome in ("conflict", "failed") and pull.found is not None
    return {
        "lever": lever_name(pull.lever),
        "prior": setting(pull.prior),
        "value": setting(pull.value),
        "at": pull.at,
        "ended": pull.ended,
        "outcome": pull.outcome,
        "outcome_text": words.OUTCOMES[pull.outcome],
        "detail": " ".join(
            [pull.error, *([f"It reads {setting(pull.found)}."] if found else [])]
        ).strip(),
        "bad": pull.outcome in ("open", "conflict", "failed"),
        "noticed": pull.noticed,
    }


def _facts(history: History) -> Iterator[tuple[str, str]]:
    """What the exercise's rows (exercise.py) do not say, or not at a glance."""
    header = history.header
    yield "Run", history.run
    yield "Environment", str(header["environment"]["kind"])
    for name in ("endpoint", "version"):
        if told := header["environment"].get(name):
            yield name.capitalize(), str(told)
    yield from words.around(history)
    faults = zip(history.experiment["faults"], header["fidelity"], strict=True)
    for settings, fidelity in faults:
        yield f"Fidelity of {words.fault(settings)}", words.FIDELITY.get(fidelity, fidelity)
    yield from words.coverage(history)
    speed = header["speed"]
    yield "Speed", "real time" if speed == 1 else f"{speed:g} lab seconds a second of the wall"
    yield "Length", show(history.ended)
    for name, value in history.experiment.get("variables", {}).items():
        yield f"Variable {name}", value


def _bounded(moment: float) -> float | None:
    return None if math.isinf(moment) else moment
