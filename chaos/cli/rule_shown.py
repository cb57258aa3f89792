"""A rule of the AWS API proxy as the text that `--rule` takes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chaos.cli.rule_text import ACTIONS, KEYS, UNITS
from probes.durations import write


def shown_rule(rule: Mapping[str, Any]) -> str:
    """`dynamodb.PutItem in us-east-1: error 500 SomethingWentWrong p=0.3`, of its JSON."""
    return f"{_target(rule)}{rule['action']}{''.join(_how(rule))}"


def _target(rule: Mapping[str, Any]) -> str:
    services, operations, regions = (
        ",".join(rule.get(name, ())) for name in ("services", "operations", "regions")
    )
    calls = f"{services or '*'}.{operations}" if operations else services
    words = [calls] if calls else []
    words += ["in", regions] if regions else []
    return " ".join(words) + ": " if words else ""


def _how(rule: Mapping[str, Any]) -> Iterator[str]:
    bare = ACTIONS[rule["action"]]
    for key, (name, _) in KEYS.items():
        if name not in rule:
            continue
        value = WRITERS.get(name, str)(rule[name])
        if name == "forward":
            yield " forward" if rule[name] else ""
        else:
            yield f" {value}" if key in bare else f" {shlex.quote(f'{key}={value}')}"


def _spans(offsets: list[float]) -> str:
    """`10s-40s,60s-`."""
    edges = [write(offset) for offset in offsets]
    return ",".join("-".join([on, *off]) if off else f"{on}-" for on, *off in _pairs(edges))


def _pairs(edges: list[str]) -> Iterator[list[str]]:
    return (edges[at : at + 2] for at in range(0, len(edges), 2))


def _number(value: float) -> str:
    return f"{value:.12g}"


def _bytes(value: float) -> str:
    unit = next(unit for unit in ("MB", "KB", "B") if value % UNITS[unit] == 0 or unit == "B")
    return f"{_number(value / UNITS[unit])}{unit}"


WRITERS: dict[str, Callable[[Any], str]] = {
    "probability": _number,
    "schedule": _spans,
    "callers": ",".join,
    "seconds": write,
    "jitter": write,
    "after": _bytes,
    "rate": lambda value: f"{_bytes(value)}/s",
    "limit": lambda value: f"{_number(value)}/s",
}
