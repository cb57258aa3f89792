"""What LocalStack's chaos API takes, read strictly, and the rules that it means.

The contract is LocalStack's OpenAPI document (`/_localstack/chaos/faults` and `…/effects`), and
wider in two places: an operation may hold digits (`ListObjectsV2`), and a code dots. Every function
raises ValueError that begins with the field: `[0].error.statusCode: …`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from chaos.proxies import rule_values as read

MOST_FAULTS = 1000
LONGEST_LATENCY = 10**9  # milliseconds
# As LocalStack says it.
MESSAGE = "Service '{service}' not accessible due to an outage"

ERROR = {"statusCode": "status", "code": "code"}  # and what a rule calls it

Fault = dict[str, Any]


def read_faults(value: Any) -> list[Fault]:
    """An array of different faults."""
    if not isinstance(value, list) or len(value) > MOST_FAULTS:
        raise ValueError(f"body: must be an array of faults, {MOST_FAULTS} at most")
    for number, fault in enumerate(value):
        _refuse_wrong(f"[{number}]", fault, FIELDS)
        if fault in value[:number]:
            raise ValueError(f"[{number}]: is the same as [{value.index(fault)}]")
    return value


def read_latency(value: Any) -> int:
    """The milliseconds of `{"latency": 250}`."""
    _refuse_wrong("", value, {"latency": _latency})
    if "latency" not in value:
        raise ValueError("latency: missing; it is a whole number of milliseconds")
    milliseconds: int = value["latency"]
    return milliseconds


def rule_of(fault: Fault) -> dict[str, Any]:
    """The rule that a fault means, as JSON."""
    error = fault.get("error", {})
    rule: dict[str, Any] = {"action": "error"}
    rule |= {f"{key}s": [fault[key]] for key in ("region", "service", "operation") if key in fault}
    rule |= {key: fault[key] for key in ("probability", "description") if key in fault}
    rule |= {name: error[key] for key, name in ERROR.items() if key in error}
    return {**rule, "message": MESSAGE.format(service=fault.get("service", "{service}"))}


def _refuse_wrong(at: str, value: Any, fields: Mapping[str, Callable[[str, Any], Any]]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{at or 'body'}: must be an object, not {value!r}")  # noqa: TRY004  # one error for all
    for name, given in value.items():
        field = f"{at}.{name}".removeprefix(".")
        if name not in fields:
            raise ValueError(f"{field}: unknown; there is {', '.join(fields)}")
        fields[name](field, given)


def _name(pattern: str) -> Callable[[str, Any], Any]:
    def check(field: str, value: Any) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"{field}: must be a text that fits ^{pattern}$, not {value!r}")

    return check


def _latency(field: str, value: Any) -> None:
    if type(value) is not int or not 0 <= value <= LONGEST_LATENCY:
        raise ValueError(f"{field}: must be whole milliseconds from 0, not {value!r}")


def _error(field: str, value: Any) -> None:
    _refuse_wrong(field, value, {"statusCode": read.status, "code": read.code})


FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "region": _name("[a-zA-Z0-9-]+"),
    "service": _name("[a-zA-Z0-9-_]+"),
    "operation": _name("[a-zA-Z0-9]+"),
    "probability": read.share,
    "description": read.note,
    "error": _error,
}
