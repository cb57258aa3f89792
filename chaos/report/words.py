"""What figures and outcomes are called, the same in the terminal, the page and the JUnit file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from chaos.environments.endpoint import is_real
from chaos.history import History
from chaos.verdict import Result, percent, spread
from probes.durations import show
from probes.outages import Interval

OBJECTIVES = {
    "rto": "RTO",
    "rpo": "RPO",
    "stale": "stale",
    "in_order": "in order",
    "no_duplicates": "no duplicates",
    "availability": "availability",
    "heals_within": "heals within",
    "detects_within": "detects within",
    "marked_within": "marked within",
    "fails_over_within": "fails over within",
    "full_capacity_within": "full capacity within",
    "fails_back_within": "fails back within",
    "recover_within": "steady again within",
    "unaffected": "unaffected",
}

# What is promised of single records: what is counted then, and what is wanted.
COUNTED = {"in_order": ("out of order", "every record"), "no_duplicates": ("twice", "none twice")}

HOW = {
    "failover": "back while the fault was on",
    "after lifting": "only after the fault was lifted",
    "never": "not recovered",
    "unaffected": "not affected",
    "not detected": "not detected",
    "not marked": "not marked",
    "no failover": "no answer from elsewhere",
    "no failback": "not home again",
}

OUTCOMES = {
    "restored": "put back",
    "already": "was already as before",
    "kept": "kept: nothing brings it back",
    "gone": "gone: the environment ended, and this with it",
    "conflict": "CONFLICT: somebody else changed it, left alone",
    "failed": "NOT PUT BACK",
    "open": "NOT PUT BACK",
}

EXIT_CODES = {
    0: "held",
    1: "broken",
    2: "invalid input, nothing touched",
    3: "no verdict can be given",
    4: "rollback incomplete",
}

FIDELITY = {
    "lab": "lab: the emulator stores it, the lab enforces it",
    "real": "real: the environment itself is broken this way",
    "unsupported": "unsupported: it has no effect here",
}


def span(interval: Interval | None) -> str:
    """An interval of seconds: `46.4 – 48.9 s`, `more than 40 s`, `0 s`; a dash for none."""
    if interval is None:
        return "–"
    if interval.high == math.inf:
        return f"more than {show(interval.low)}"
    low, high = show(interval.low), show(interval.high)
    if low == high:
        return high
    unit = high.rpartition(" ")[2]
    alike = low.endswith(f" {unit}") and low.count(" ") == high.count(" ") == 1
    return f"{low.removesuffix(f' {unit}') if alike else low} – {high}"


def wanted(result: Result) -> str:
    """What was promised: `≤ 2 min`, `≥ 40%`."""
    if result.objective == "unaffected":
        return "no failure"
    if result.objective in COUNTED:
        return COUNTED[result.objective][1]
    if result.objective == "availability":
        return f"≥ {percent(result.wanted)}"
    if result.spread:
        return spread.told(result.spread)
    return f"≤ {show(result.wanted)}"


def measured(result: Result) -> str:
    """What was measured, as far as that can be known."""
    if result.objective == result.how == "unaffected":  # held, or seen no failure so far
        return "no failure"
    if result.measured is None:
        return "not measured"
    if result.objective in COUNTED:
        return f"{result.measured.low:g} {COUNTED[result.objective][0]}"
    if result.objective == "availability":
        return percent(result.measured.low)
    return f"{'down ' if result.objective == 'unaffected' else ''}{span(result.measured)}"


def fault(settings: dict[str, Any]) -> str:
    """A fault with where it happens: `region_outage us-east-1`."""
    places = (settings.get(key) for key in ("region", "zone", "name", "service"))
    return " ".join([settings["kind"], *(place for place in places if isinstance(place, str))])


def place(history: History) -> str:
    """Where it happened and at what speed, said so that nobody takes lab time for the wall's."""
    ran, speed = f"Ran {where(history.header['environment'])}", history.header["speed"]
    if speed == 1:
        return f"{ran}, in real time."
    pace = f"{speed:g} times faster" if speed > 1 else f"{1 / speed:g} times slower"
    own = " LocalStack's own timers keep the wall's." if _is_localstack(history) else ""
    return f"{ran}; times are lab time, {pace} than the wall.{own}"


def _is_localstack(history: History) -> bool:
    return bool(history.header["environment"]["kind"] == "localstack")


def stopped(history: History) -> str:
    """Why a run was ended early, and how long it took to put back what was on; empty if not."""
    if not history.stops:
        return ""
    if history.open_pulls:
        return f"{history.stops[0]}; NOT everything is back"
    if history.back_after is None:
        return history.stops[0]
    return f"{history.stops[0]}; everything back after {show(history.back_after)}"


def where(environment: dict[str, Any]) -> str:
    """`in the embedded lab`, `on LocalStack 2026.3.0 at http://127.0.0.1:4566`."""
    kind, version = environment["kind"], environment.get("version")
    if kind == "embedded":
        return "in the embedded lab"
    named = f"LocalStack {version}" if version else "the emulator"
    endpoint = environment.get("endpoint")
    aws = "AWS" if is_real(endpoint) else "what stands in for AWS"
    name = {"localstack": named, "aws": aws}.get(kind, kind)
    return f"on {name} at {endpoint}" if endpoint else f"on {name}"


def around(history: History) -> Iterator[tuple[str, str]]:
    """Which accounts it was done in and as whom, where its undo log was, and what stood in."""
    for name, account in history.header["environment"].get("accounts", {}).items():
        who = [f"as {account['arn']}"] if account.get("arn") else []
        yield f"Account {name}", ", ".join([account["id"], *account["regions"], *who])
    if kept := history.header.get("undo_log"):
        yield "Undo log", kept
    for service, what in history.experiment.get("stand_ins", {}).items():
        yield f"Stood in for {service}", what


def stood_in(experiment: dict[str, Any]) -> list[str]:
    """A sentence for each service that was not there, with what stood in for it."""
    stand_ins = experiment.get("stand_ins", {})  # older journals have none
    return [f"Stood in for {service}: {what}" for service, what in stand_ins.items()]


def count(n: int, noun: str) -> str:
    """`1 lever`, `4 levers`."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def printable(text: str) -> str:
    """On one line, and without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def coverage(history: History) -> Iterator[tuple[str, str]]:
    """What each fault cut in a real account, and what it could not: an outage of AWS is wider."""
    for name, cut, went_on in covered(history):
        yield f"Cut by {name}", cut
        yield f"Went on under {name}", went_on


def covered(history: History) -> Iterator[tuple[str, str, str]]:
    """The same: the name of the fault, what it cut, and what it did not."""
    told = history.header.get("coverage", [])  # journals of before have none
    brought_about = {pull.fault for pull in history.pulls}
    each = zip(history.experiment["faults"], told, strict=False)
    for number, (settings, coverage) in enumerate(each):
        if coverage and number in brought_about:
            yield fault(settings), "; ".join(coverage["cut"]), "; ".join(coverage["goes_on"])
