"""A rule of the DNS server in one line, as `chaos dns` takes and shows it.

delay *.example.com by=2s jitter=500ms
wrong api.example.com answers=192.0.2.1 ttl=5s
"""

from __future__ import annotations

import shlex
from typing import Any

from chaos.cli import keyed_words
from chaos.cli.keyed_words import duration, list_of
from chaos.errors import InvalidInput
from chaos.proxies.dns_rules import DnsRule


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
    names = [word for word in words if "=" not in word]
    keyed = [word.partition("=") for word in words if "=" in word]
    rule = keyed_words.read(((key, value) for key, _, value in keyed), KEYS)
    return {**rule, **({"names": names} if names else {})}


def _whole_duration(key: str, value: str) -> float:
    seconds = duration(key, value)
    return int(seconds) if seconds.is_integer() else seconds


KEYS: keyed_words.Keys = {
    "by": ("seconds", duration),
    "jitter": ("jitter", duration),
    "types": ("types", list_of),
    "answers": ("answers", list_of),
    "ttl": ("ttl", _whole_duration),
}


def _in_our_words(problem: str) -> str:
    written, what = keyed_words.in_our_words(problem, KEYS)
    return f"{written}: {what}" if what else problem
