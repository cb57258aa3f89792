"""A rule of the DNS server in one line, as `chaos dns` takes and shows it.

delay *.example.com by=2s jitter=500ms
wrong api.example.com answers=192.0.2.1 ttl=5s
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from chaos.errors import InvalidInput
from chaos.proxies.dns_rules import DnsRule
from probes.durations import parse


def read_rule(text: str) -> dict[str, Any]:
    """The rule, as `DnsRules.put` takes it; raises InvalidInput."""
    try:
        action, *words = shlex.split(text) or [""]
        rule = {"action": action, **_read(words)}
        DnsRule.from_json(rule)
    except ValueError as error:
        raise InvalidInput(f"--rule {text!r}: {_in_our_words(str(error))}") from error
    return rule


def _read(words: list[str]) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    names = [word for word in words if "=" not in word]
    for word in words:
        key, equals, value = word.partition("=")
        if equals and key not in KEYS:
            raise ValueError(f"{key!r} is not known here; there is {', '.join(KEYS)}")
        if equals:
            name, read = KEYS[key]
            if name in rule:
                raise ValueError(f"{key}: is given twice")
            rule[name] = read(key, value)
    return {**rule, **({"names": names} if names else {})}


def _list(_key: str, value: str) -> list[str]:
    return value.split(",")


def _duration(key: str, value: str) -> float:
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _whole_duration(key: str, value: str) -> float:
    seconds = _duration(key, value)
    return int(seconds) if seconds.is_integer() else seconds


# What is written before the `=`: the rule's key, and how its value is read.
KEYS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "by": ("seconds", _duration),
    "jitter": ("jitter", _duration),
    "types": ("types", _list),
    "answers": ("answers", _list),
    "ttl": ("ttl", _whole_duration),
}


def _in_our_words(problem: str) -> str:
    key, _, what = problem.partition(": ")
    written = next((ours for ours, (theirs, _) in KEYS.items() if theirs == key), key)
    return f"{written}: {what}" if what else problem
