"""evidence.json: all that there is to know of a run but for the samples, for machines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chaos.history import History, lever_name
from chaos.report.answers import Answer
from chaos.report.exercise import findings, utc
from chaos.report.findings import lacks
from chaos.verdict import Verdict

VERSION = 1


def record(history: History, verdict: Verdict, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """It as JSON; docs/how-to/evidence.md says what is in it. Null is what nobody has said."""
    header, experiment = history.header, history.experiment
    return {
        "version": VERSION,
        "run": history.run,
        "experiment": _experiment(experiment),
        "began": utc(history, 0.0),
        "ended": utc(history, history.ended),
        "finished": history.finished,
        **{name: header.get(name) for name in ("who", "ran_as", "why", "authorised_by")},
        "about": experiment.get("about"),
        "previous": header.get("previous"),
        **{name: header.get(name) for name in ("tool", "versions", "environment", "speed")},
        "stand_ins": experiment.get("stand_ins", {}),
        "variables": experiment.get("variables", {}),
        "targets": [_target(number, history) for number in range(len(experiment["faults"]))],
        "calls": [{**asdict(call), "at": utc(history, call.began)} for call in history.calls],
        "calls_complete": not lacks(history),
        "state": [_state(pull) for pull in map(asdict, history.pulls)],
        "samples": {name: len(samples) for name, samples in history.samples.items()},
        "findings": findings(history, verdict, answers),
        "verdict": {
            "value": verdict.value,
            "exit_code": verdict.exit_code,
            "reasons": list(verdict.reasons),
        },
    }


def render(history: History, verdict: Verdict, answers: Mapping[str, Answer]) -> str:
    """The file, ASCII only."""
    return json.dumps(record(history, verdict, answers), indent=2, allow_nan=False) + "\n"


def _experiment(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """Its file; what was secret in it is masked, and then it has not the hash that it ran with."""
    text = experiment["text"].encode("utf-8", "replace")
    return {
        "name": experiment["name"],
        "title": experiment["title"],
        "file": experiment["file"],
        "sha256": experiment["sha256"],
        "masked": hashlib.sha256(text).hexdigest() != experiment["sha256"],
    }


def _target(number: int, history: History) -> dict[str, Any]:
    """What a fault was aimed at as the experiment has it, and what that came to."""
    header, settings = history.header, history.experiment["faults"][number]
    coverage = header.get("coverage", [])
    return {
        "fault": number,
        "settings": settings,
        "fidelity": header["fidelity"][number],
        "coverage": coverage[number] if number < len(coverage) else None,
        "levers": [
            {"account": pull.account, "name": lever_name(pull.lever), "lever": pull.lever}
            for pull in history.pulls
            if pull.fault == number
        ],
    }


def _state(pull: dict[str, Any]) -> dict[str, Any]:
    """Before, as it was set, and as it was found at the end."""
    kept = ("pull", "account", "lever", "prior", "value", "found", "outcome", "error")
    return {name: pull[name] for name in kept}
