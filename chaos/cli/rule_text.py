"""A rule of the AWS API proxy in one line, as `chaos proxy` and `chaos exec` take it.

dynamodb.PutItem in us-east-1: error 500 SomethingWentWrong p=0.3 first=10
s3,sqs: delay 2s jitter=500ms
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

from chaos.cli import keyed_words
from chaos.cli.keyed_words import duration, list_of
from chaos.cli.rule_names import refuse_unknown_names
from chaos.errors import InvalidInput
from chaos.proxies.rules import Rule
from chaos.schema import did_you_mean

EXAMPLE = "write it as 'dynamodb.PutItem in us-east-1: error 500 SomethingWentWrong p=0.3'"
SIZE = re.compile(r"(\d+(?:\.\d+)?)(B|KB|MB|KiB|MiB)?(/s)?")
UNITS = {None: 1, "B": 1, "KB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20}
# The actions, and what may stand behind them without a key.
ACTIONS: dict[str, tuple[str, ...]] = {
    "error": ("status", "code"),
    "delay": ("by",),
    "hang": (),
    "refuse": (),
    "reset": ("after",),
    "truncate": ("after",),
    "bandwidth": ("rate",),
    "throttle": ("limit",),
}


# What an action cannot do without, as it may be written.
SUCH_AS = {"by": "200ms", "rate": "100KB/s", "limit": "5/s"}


def read_rule(text: str) -> dict[str, Any]:
    """The rule as JSON, from one line of text or from JSON; raises InvalidInput."""
    try:
        json_given = text.lstrip().startswith("{")
        return as_rule(json.loads(text, object_pairs_hook=_once) if json_given else text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"--rule {text!r}: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; json would take the last of two values for one key."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(k for k in keys if keys.count(k) > 1)}: is given twice")
    return found


def as_rule(given: Any) -> dict[str, Any]:
    """The rule, given as JSON or as text, once it is known to be good; raises ValueError."""
    if not isinstance(given, str):
        return _checked(given)
    try:
        return _checked(_read(given))
    except ValueError as error:
        raise ValueError(_in_our_words(str(error))) from error


def _checked(rule: Any) -> dict[str, Any]:
    read = Rule.from_json(rule)
    refuse_unknown_names(read)
    return read.to_json()


def _read(text: str) -> dict[str, Any]:
    words = shlex.split(text)
    end = next((n for n, word in enumerate(words) if word.endswith(":") and "=" not in word), -1)
    target = [word for word in (*words[:end], words[end][:-1]) if word] if end >= 0 else []
    action, *how = words[end + 1 :] or [""]
    if action not in ACTIONS:
        hint = did_you_mean(action, ACTIONS) or f"; there is {', '.join(ACTIONS)}"
        raise ValueError(f"{action!r} is no action{hint}; {EXAMPLE}")
    return {"action": action, **_target(target), **keyed_words.read(_keyed(action, how), KEYS)}


def _target(words: list[str]) -> dict[str, Any]:
    """`s3,sqs in us-east-1`, or a part of it."""
    match words:
        case []:
            return {}
        case ["in", regions]:
            return {"regions": regions.split(",")}
        case [services]:
            return _services(services)
        case [services, "in", regions]:
            return {**_services(services), "regions": regions.split(",")}
    raise ValueError(f"{' '.join(words)!r} does not say which calls; {EXAMPLE}")


def _services(text: str) -> dict[str, Any]:
    """`s3,sqs`; `dynamodb.PutItem,GetItem`; `*.GetItem`."""
    service, dot, operations = text.partition(".")
    if dot and "," in service:
        raise ValueError(f"{text!r}: operations are of one service; give a rule for each")
    services = {} if service == "*" else {"services": service.split(",")}
    return {**services, **({"operations": operations.split(",")} if dot else {})}


def _keyed(action: str, words: list[str]) -> Iterator[tuple[str, str]]:
    """All of the words as keys with values."""
    places = list(ACTIONS[action])
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            yield key, value
        elif word == "forward":
            yield "forward", ""
        elif word in KEYS:
            raise ValueError(f"{word!r} has no value; write it as {word}=VALUE")
        else:
            if places[:1] == ["status"] and not word.isdigit():
                places.pop(0)
            if not places:
                raise ValueError(f"{word!r} means nothing behind {action!r}")
            yield places.pop(0), word


def _text(_key: str, value: str) -> str:
    return value


def _true(_key: str, _value: str) -> bool:
    return True


def _number(key: str, value: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", value):
        raise ValueError(f"{key}: {value!r} is no number")
    return float(value) if "." in value else int(value)


def _per_second(key: str, value: str) -> float:
    return _number(key, value.removesuffix("/s"))


def _bytes(key: str, value: str) -> float:
    found = SIZE.fullmatch(value)
    if not found or (found[3] and key != "rate"):
        such = "100KB/s" if key == "rate" else "100KB"
        raise ValueError(f"{key}: {value!r} is no size; write it as {such}")
    size = float(found[1]) * UNITS[found[2]]
    return int(size) if size.is_integer() else size


def _times(key: str, value: str) -> list[float]:
    """`10s-40s,60s-`: on, off, on."""
    edges = re.split("[-,]", value.removesuffix("-"))
    if value.count("-") != len(value.split(",")):
        raise ValueError(f"{key}: {value!r} says no times; write it as 10s-40s,60s-")
    return [duration(key, edge) for edge in edges]


KEYS: keyed_words.Keys = {
    "status": ("status", _number),
    "code": ("code", _text),
    "message": ("message", _text),
    "by": ("seconds", duration),
    "jitter": ("jitter", duration),
    "after": ("after", _bytes),
    "rate": ("rate", _bytes),
    "limit": ("limit", _per_second),
    "burst": ("burst", _number),
    "forward": ("forward", _true),
    "p": ("probability", _number),
    "seed": ("seed", _number),
    "first": ("first", _number),
    "during": ("schedule", _times),
    "callers": ("callers", list_of),
    "description": ("description", _text),
}


def _in_our_words(problem: str) -> str:
    written, what = keyed_words.in_our_words(problem, KEYS)
    if what.startswith("missing; ") and written in SUCH_AS:
        return f"{written}: {what}, such as {SUCH_AS[written]}"
    return f"{written}: {what}" if what else problem
