"""Rules of the AWS API proxy: which calls meet a fault, which fault, and how many did."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, get_args

from chaos.proxies.request import ApiRequest
from chaos.proxies.rulebook import Rulebook, as_given, refuse_unknown

Action = Literal["hang", "refuse", "error", "delay"]

# As in LocalStack's chaos API.
DEFAULT_STATUS = 503
DEFAULT_CODE = "ServiceUnavailable"
# It becomes a header's value and an XML element's text; a '#' would be read as a namespace.
CODE = re.compile(r"[A-Za-z0-9._:-]{1,200}")
# Keys that mean something to one action only.
BELONGS_TO = {"status": "error", "code": "error", "seconds": "delay"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Calls to match, and what happens to them; None is: any, or the default.

    hang      read, never answered, never passed on
    refuse    the connection is reset
    error     answered with `status` and `code`, as the service itself would
    delay     passed on after `seconds` of the loop
    """

    action: Action
    regions: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    operations: tuple[str, ...] | None = None
    status: int | None = None
    code: str | None = None
    seconds: float | None = None

    @classmethod
    def from_json(cls, value: Any) -> Rule:
        """Read a rule strictly; raises ValueError that begins with the key's name."""
        refuse_unknown(value, CHECKS)
        for name in ("action", *(("seconds",) if value.get("action") == "delay" else ())):
            if name not in value:
                raise ValueError(f"{name}: missing")
        rule = cls(**{name: CHECKS[name](name, given) for name, given in value.items()})
        for name, action in BELONGS_TO.items():
            if name in value and rule.action != action:
                raise ValueError(f"{name}: means nothing to {rule.action!r}, only to {action!r}")
        return rule

    def to_json(self) -> dict[str, Any]:
        """The rule as it was given."""
        return as_given(self)

    def matches(self, request: ApiRequest) -> bool:
        """Whether the call is meant; one that says no region is in none."""
        return (
            (self.regions is None or request.region in self.regions)
            and (self.services is None or request.service in self.services)
            and (self.operations is None or request.operation in self.operations)
        )


class Rules(Rulebook[Rule]):
    """The rules of one proxy."""

    def __init__(self) -> None:
        super().__init__(Rule.from_json)

    def match(self, request: ApiRequest, passed: Collection[str] = ()) -> tuple[str, Rule] | None:
        """The first rule that means the call, leaving out those it has `passed`; counts a hit."""
        for id, rule in self.items():  # noqa: A001  # its name in the control protocol
            if id not in passed and rule.matches(request):
                self.hit(id)
                return id, rule
        return None


def _action(name: str, value: Any) -> Any:
    if value not in get_args(Action):
        raise ValueError(f"{name}: must be one of {', '.join(get_args(Action))}, not {value!r}")
    return value


def _names(name: str, value: Any) -> tuple[str, ...]:
    good = isinstance(value, list) and value and all(isinstance(n, str) and n for n in value)
    if not good:
        raise ValueError(f"{name}: must be a list of names, not {value!r}")
    return tuple(value)


def _status(name: str, value: Any) -> int:
    if type(value) is not int or not 400 <= value <= 599:
        raise ValueError(f"{name}: must be a number from 400 to 599, not {value!r}")
    return value


def _code(name: str, value: Any) -> str:
    if not isinstance(value, str) or not CODE.fullmatch(value):
        raise ValueError(f"{name}: must be an error code such as Throttling, not {value!r}")
    return value


def _seconds(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name}: must be a number of seconds from 0, not {value!r}")
    return float(value)


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "action": _action,
    "regions": _names,
    "services": _names,
    "operations": _names,
    "status": _status,
    "code": _code,
    "seconds": _seconds,
}
