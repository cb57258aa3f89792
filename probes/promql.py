"""One question to Prometheus that asks for values and for their age, and its answer. Pure.

A value says what was at the scrape, not what is; and Prometheus gives the last one for five minutes
when no newer comes. Both are asked for in one query, so that they are of one moment, and the age is
told by Prometheus' own clock.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from probes.durations import show
from probes.json_values import shown
from probes.probe import ProbeFailed

# The label that tells the parts of the answer apart; no series of the user's has it.
PART = "chaos_drill_part"
TEXT = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`'
MATCHER = rf"\s*[a-zA-Z_]\w*\s*(?:=|!=|=~|!~)\s*(?:{TEXT})\s*"
SELECTOR = re.compile(
    rf"\s*[a-zA-Z_:][\w:]*\s*(?:\{{(?:{MATCHER}(?:,{MATCHER})*,?)?\s*\}})?\s*", re.ASCII
)
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
LENGTH = r"(?:\d+(?:ms|[smhdwy]))+"
# `x[5m]`, `x[1h:5m]`, `offset 10m`: where a query says how far back it looks, and how it says it,
# from Prometheus 2.54 on also in seconds without a unit.
LOOKS_BACK = re.compile(r"\[\s*|\b(?i:offset)\s+(?=[-+(\w.$])[-+]?\s*")
BACK = re.compile(rf"({LENGTH}|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.(])\s*")
# Seconds that the newest sample may be after the moment of the question: other clocks round.
AHEAD_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of the answer: how people write it, and its value."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The series, and the age in seconds of the oldest of the newest samples; None: no sample."""

    series: tuple[Series, ...]
    age: float | None


def is_selector(query: str) -> bool:
    """Whether it is the name of a metric, with labels or without: what has samples of its own."""
    return SELECTOR.fullmatch(query) is not None


def without_texts(query: str) -> str:
    """The query without what stands in quotes and without comments."""
    kept = re.sub(rf"({TEXT})|#[^\n]*", lambda found: '""' if found[1] else "", query)
    return kept.strip()


def reach(query: str) -> float:
    """How far back the query looks itself, in seconds: at most so far, its lengths added up.

    Raises ValueError for a length that is none: what it gives would be taken for fresher.
    """
    text = without_texts(query)
    return sum((_back(text, found) for found in LOOKS_BACK.finditer(text)), 0.0)


def _back(text: str, found: re.Match[str]) -> float:
    length = BACK.match(text, found.end())
    ends = "" if length is None else text[length.end() : length.end() + 1]
    if length is None or (found[0].startswith("[") and ends not in ("]", ":")):
        raise ValueError("looks back for a time that cannot be read; write [5m], or offset 10m")
    if not length[1][-1].isalpha():
        return float(length[1])
    parts = re.findall(r"(\d+)([a-z]+)", length[1])
    return float(sum(int(number) * UNITS[unit] for number, unit in parts))


def question(query: str, series: str) -> str:
    """The query, and the age of the samples of `series`, as one expression.

    A query may end in a comment, so each stands on lines of its own.
    """
    age = f"time() - min(timestamp(\n{series}\n))"
    return (
        f'label_replace(\n{query}\n, "{PART}", "value", "", "") or'
        f' label_replace({age}, "{PART}", "age", "", "")'
    )


def answer(status: int, body: bytes) -> Answer:
    """What Prometheus has answered; raises ProbeFailed for anything but a whole answer."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProbeFailed(f"status {status}, and the answer is no JSON of Prometheus") from error
    if not isinstance(told, dict) or told.get("status") != "success" or status != HTTPStatus.OK:
        why = told.get("error") if isinstance(told, dict) else None
        raise ProbeFailed(f"status {status}: {shown(why or told)}")
    # The latter is VictoriaMetrics' word for it.
    if warnings := told.get("warnings") or ("isPartial" if told.get("isPartial") else None):
        raise ProbeFailed(f"the answer may not be whole: {shown(warnings)}")
    try:
        return _read(told["data"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ProbeFailed(f"the answer is no vector of numbers: {shown(told)}") from error


def _read(data: dict[str, Any]) -> Answer:
    if data["resultType"] != "vector":
        raise ValueError
    parts: dict[str, list[Series]] = {"value": [], "age": []}
    for one in data["result"]:
        labels = {name: str(text) for name, text in one["metric"].items()}
        part = parts[labels.pop(PART)]
        part.append(Series(name=_named(labels), value=float(one["value"][1])))
    ages = [_age(one.value) for one in parts["age"]]
    return Answer(series=tuple(parts["value"]), age=max(ages, default=None))


def _age(told: float) -> float:
    """A sample of the future is none of this moment, and what is no number tells nothing."""
    if not math.isfinite(told):
        raise ProbeFailed(f"the answer tells no age: {told:g}")
    if told < -AHEAD_S:
        raise ProbeFailed(f"the newest sample is {show(-told)} ahead of the clock of Prometheus")
    return max(0.0, told)


def _named(labels: dict[str, str]) -> str:
    name = labels.pop("__name__", "")
    inner = ", ".join(f"{label}={json.dumps(text)}" for label, text in sorted(labels.items()))
    return f"{name}{{{inner}}}" if inner else name or "the result"
