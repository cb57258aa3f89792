"""Journals of made-up runs of `region-outage`, written by the real journal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from report.attempts import INJECTED, LASTS, Entry, Story

from chaos.history import History
from chaos.journal import Journal
from probes.probe import Sample

TEXT = """\
name: region-outage
title: us-east-1 goes dark; playback moves to us-west-2
lab: streaming

probes:
  playback:
    kind: http
    url: http://api.stream.example/playback
    every: 500ms
    timeout: 2s
  west_canary: {kind: http, url: http://west.stream.example/health, every: 1s, timeout: 2s}
  history:
    kind: dynamodb_ledger
    table: viewing-history
    write_to: us-east-1
    read_from: us-west-2

faults:
  - {kind: region_outage, region: us-east-1, at: 0s, lasts: 180s}

objectives:
  playback: {rto: 120s, availability: 40%}
  west_canary: {unaffected: true}
  history: {rpo: 5s}
"""

END = INJECTED + LASTS + 45.0
LEVERS: list[tuple[dict[str, Any], Any, Any]] = [
    ({"kind": "replication", "region": "us-east-1"}, "on", "off"),
    (
        {"kind": "api_rule", "id": "region-outage-us-east-1"},
        None,
        {"action": "hang", "regions": ["us-east-1"]},
    ),
    (
        {"kind": "api_rule", "id": "global-control-planes"},
        None,
        {"action": "hang", "services": ["iam", "route53", "cloudfront"]},
    ),
    ({"kind": "reachability", "scope": "us-east-1"}, "open", "drop"),
]


def region_outage(
    directory: Path,
    *,
    outcomes: tuple[str, ...] = ("restored",) * 4,
    title: str = "us-east-1 goes dark; playback moves to us-west-2",
    speed: float = 8.0,
    **story: Any,
) -> Path:
    """Write a journal into `directory` and return its path.

    `outcomes` is what became of the levers in the order of their pulls; the rest makes a Story.
    """
    told = Story(**story)
    end = END if told.steady else 60.0
    entries = [*(_frame(outcomes, told.bites) if told.steady else _unsteady())]
    first = header(title, speed)
    path = directory / first["run"] / "journal.jsonl"
    return write(path, first, [*entries, *told.attempts(end)])


def prolonged(history: History, seconds: float) -> History:
    """The same run, had it gone on that much longer, with good answers only."""
    samples = {
        name: (*attempts, *_more(attempts[-1], history.experiment["probes"][name], seconds))
        for name, attempts in history.samples.items()
    }
    return replace(history, samples=samples, ended=history.ended + seconds)


def _more(last: Sample, probe: dict[str, Any], seconds: float) -> Iterator[Sample]:
    for n in range(1, int(seconds / probe["every"])):
        due = last.due + n * probe["every"]
        yield replace(last, n=last.n + n, due=due, start=due, end=due + 0.02)


def write(path: Path, first: dict[str, Any], entries: list[Entry]) -> Path:
    """Write the header and then the entries in order of time."""
    now = 0.0
    journal = Journal.create(path, lambda: now)
    journal.write("run", **first)
    for now, event, fields in sorted(entries, key=lambda entry: entry[0]):  # noqa: B007  # a clock
        journal.write(event, **fields)
    journal.close()
    return path


def header(title: str = "a title", speed: float = 8.0) -> dict[str, Any]:
    objective: dict[str, Any] = dict.fromkeys(
        ("rto", "rpo", "availability", "heals_within", "unaffected")
    )
    http = {"kind": "http", "timeout": 2.0, "confirm": 3, "dns_cache": "ttl"}
    return {
        "v": 1,
        "run": "20261121-094312-region-outage-4f2a",
        "wall": "2026-11-21T09:43:12.480+00:00",
        "tool": "0.1.0",
        "speed": speed,
        "environment": {"kind": "embedded", "directory": "/tmp/chaos-lab-x", "pid": 1},  # noqa: S108  # a text in a journal, no file
        "fidelity": ["lab"],
        "experiment": {
            "name": "region-outage",
            "title": title,
            "lab": "streaming",
            "file": "experiments/region-outage.yaml",
            "text": TEXT,
            "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
            "steady_state": {"for": 5.0, "within": 60.0},
            "recover_within": 120.0,
            "probes": {
                "playback": {
                    **http,
                    "url": "http://api.stream.example/playback",
                    "every": 0.5,
                },
                "west_canary": {**http, "url": "http://west.stream.example/health", "every": 1.0},
                "history": {
                    "kind": "dynamodb_ledger",
                    "table": "viewing-history",
                    "write_to": "us-east-1",
                    "read_from": "us-west-2",
                    "every": 1.0,
                    "timeout": 2.0,
                    "confirm": 3,
                    "dns_cache": "ttl",
                },
            },
            "faults": [
                {
                    "kind": "region_outage",
                    "region": "us-east-1",
                    "mode": "hang",
                    "at": 0.0,
                    "lasts": LASTS,
                }
            ],
            "objectives": {
                "playback": {**objective, "rto": 120.0, "availability": 0.4},
                "west_canary": {**objective, "unaffected": True},
                "history": {**objective, "rpo": 5.0},
            },
            "stop_when": [],
            "allow_irreversible": [],
        },
    }


def _unsteady() -> Iterator[Entry]:
    yield 0.001, "phase", {"phase": "steady"}
    why = "no steady state within 60 s: not good: playback; nothing was broken"
    yield 60.01, "phase", {"phase": "rollback"}
    yield 60.02, "phase", {"phase": "judge"}
    yield 60.03, "stop", {"why": why}
    yield 60.04, "end", {}


def _frame(outcomes: tuple[str, ...], bites: bool) -> Iterator[Entry]:
    """All but the samples."""
    yield 0.001, "phase", {"phase": "steady"}
    yield INJECTED - 0.004, "phase", {"phase": "inject"}
    fault = {"fault": 0, "kind": "region_outage"}
    yield INJECTED - 0.003, "fault", {**fault, "state": "injecting"}
    for number, (lever, prior, value) in enumerate(LEVERS):
        at = INJECTED + number * 0.031
        pull = {"pull": number, "fault": 0, "lever": lever, "prior": prior, "value": value}
        yield at, "pull", {**pull, "irreversible": False}
        yield at + 0.02, "call", _call(number, at + 0.01, undo=False)
        yield at + 0.024, "pulled", {"pull": number, "read": value}
    yield INJECTED + 0.13, "fault", {**fault, "state": "injected"}
    yield INJECTED + 0.131, "phase", {"phase": "hold"}
    lifted = INJECTED + 0.13 + LASTS
    survived = list(range(7 if bites else int(lifted)))
    yield lifted - 0.02, "ledger", _ledger("failover", survived)
    yield lifted, "fault", {**fault, "state": "lifting"}
    yield from _put_back(outcomes, lifted, hits=41 if bites else 0)
    if not set(outcomes) & {"failed", "conflict", "open"}:
        yield lifted + 0.2, "fault", {**fault, "state": "lifted"}
    yield lifted + 0.21, "phase", {"phase": "rollback"}
    yield lifted + 0.22, "phase", {"phase": "recover"}
    yield END - 0.05, "ledger", _ledger("end", [*range(9), *range(189, int(END) - 2)])
    yield END - 0.03, "phase", {"phase": "judge"}
    yield END, "end", {}


def _call(number: int, began: float, *, undo: bool, error: str = "") -> dict[str, Any]:
    what = {"service": "lab", "region": "", "operation": f"put_{LEVERS[number][0]['kind']}"}
    whose = {"pull": number, "account": None, "undo": undo}
    return {**whose, **what, "began": began, "request_id": f"id-{number}", "error": error}


def _ledger(when: str, found: list[int]) -> dict[str, Any]:
    return {"probe": "history", "when": when, "found": found, "error": ""}


def _put_back(outcomes: tuple[str, ...], lifted: float, hits: int) -> Iterator[Entry]:
    words = {"failed": "lab put_reachability failed: Timeout: no answer within 20 s"}
    for back, number in enumerate(reversed(range(len(LEVERS)))):
        outcome = outcomes[number]
        if outcome == "open":
            continue
        at = lifted + 0.03 + back * 0.04
        found = {"conflict": "refuse", "failed": LEVERS[number][2]}.get(outcome, LEVERS[number][1])
        if outcome in ("restored", "failed"):
            why = words.get(outcome, "")
            yield at - 0.005, "call", _call(number, at - 0.007, undo=True, error=why)
        if LEVERS[number][0]["kind"] != "replication":
            yield at - 0.01, "noticed", {"pull": number, "count": hits * number}
        yield (
            at,
            "restored",
            {
                "pull": number,
                "outcome": outcome,
                "found": found,
                "error": words.get(outcome, ""),
            },
        )
