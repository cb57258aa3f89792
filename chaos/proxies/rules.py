"""Rules of the AWS API proxy: which calls meet a fault, which fault, and how many did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from chaos.proxies import rule_values as read
from chaos.proxies.armed import DEFAULT_CODE, DEFAULT_STATUS, Armed
from chaos.proxies.effect import Effect
from chaos.proxies.request import ApiRequest
from chaos.proxies.rulebook import Rulebook, as_given, refuse_misplaced, refuse_unknown

__all__ = ["DEFAULT_CODE", "DEFAULT_STATUS", "Rule", "Rules"]

Action = Literal["hang", "refuse", "error", "delay", "reset", "truncate", "bandwidth", "throttle"]

# Keys that mean something to some actions only.
BELONGS_TO = {
    "status": ("error", "throttle"),
    "code": ("error", "throttle"),
    "message": ("error", "throttle"),
    "seconds": ("delay",),
    "jitter": ("delay",),
    "forward": ("error", "hang", "reset"),
    "after": ("reset", "truncate"),
    "rate": ("bandwidth",),
    "limit": ("throttle",),
    "burst": ("throttle",),
}
NEEDED = {"delay": "seconds", "bandwidth": "rate", "throttle": "limit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Calls to match, and what happens to them; None is: any, or the default.

    hang       read, never answered; not passed on either, without `forward`
    refuse     the connection is reset at once
    error      answered with `status` and `code`, as the service itself would
    delay      passed on after `seconds` of the loop, give or take up to `jitter`
    reset      the connection is reset once the call is read, or `after` bytes of the answer's body
    truncate   the answer's body ends `after` bytes, although its length says more
    bandwidth  the answer's body comes at `rate` bytes per second
    throttle   calls above `limit` per second are answered as the service throttles; `burst` calls
               may come at once

    Names of services are any usual ones: `cloudwatch` and `monitoring` mean the same. `callers`
    are access key ids. `probability` is drawn for each call, by a generator that `seed` starts;
    `first` is how many of the calls that match are meant; `schedule` has the seconds, from when
    the rule was put, at which it goes on, off, on, …. With `forward` the call is passed on and
    only its answer is lost: the write happened.
    """

    action: Action
    regions: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    operations: tuple[str, ...] | None = None
    callers: tuple[str, ...] | None = None
    probability: float | None = None
    seed: int | None = None
    first: int | None = None
    schedule: tuple[float, ...] | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    seconds: float | None = None
    jitter: float | None = None
    forward: bool | None = None
    after: int | None = None
    rate: float | None = None
    limit: float | None = None
    burst: int | None = None
    description: str | None = None

    @classmethod
    def from_json(cls, value: Any) -> Rule:
        """Read a rule strictly; raises ValueError that begins with the key's name."""
        refuse_unknown(value, CHECKS)
        if "action" not in value:
            raise ValueError(f"action: missing; it is one of {', '.join(get_args(Action))}")
        rule = cls(**{name: CHECKS[name](name, given) for name, given in value.items()})
        _refuse_impossible(rule)
        return rule

    def to_json(self) -> dict[str, Any]:
        """The rule as it was given."""
        return as_given(self)


class Rules(Rulebook[Rule]):
    """The rules of one proxy."""

    def __init__(self) -> None:
        super().__init__(Rule.from_json)
        self._armed: dict[str, Armed] = {}

    def decide(self, request: ApiRequest, passed: Collection[str] = ()) -> Effect | None:
        """What befalls the call, by the first rule that decides to; counts it.

        Of the rules that delayed the call before, `passed`, only those behind are asked: what the
        others drew for this call stands.
        """
        for armed in self._behind(passed) if passed else self._armed.values():
            if effect := armed.meet(request):
                self.hit(effect.rule)
                return effect
        return None

    def armed(self) -> Iterable[Armed]:
        """The rules with what they have counted."""
        return self._armed.values()

    def in_force(self, id: str) -> Rule | None:  # noqa: A002  # its name in the control protocol
        """The rule with that id, while its schedule is on."""
        armed = self._armed.get(id)
        return armed.rule if armed and armed.on() else None

    def _behind(self, passed: Collection[str]) -> Iterable[Armed]:
        armed = list(self._armed.values())
        last = max((n for n, one in enumerate(armed) if one.id in passed), default=-1)
        return armed[last + 1 :]

    def _replace(self, rules: Mapping[str, Rule]) -> None:
        before, self._armed = self._armed, {}
        for id, rule in rules.items():  # noqa: A001  # as above
            old = before.get(id)
            self._armed[id] = old if old and old.rule == rule else Armed(id, rule, self._changed)
        for old in before.values():
            if self._armed.get(old.id) is not old:
                old.disarm()
        super()._replace(rules)


def _refuse_impossible(rule: Rule) -> None:
    refuse_misplaced(rule, needed=NEEDED, belongs_to=BELONGS_TO)
    if rule.seed is not None and rule.probability is None and rule.jitter is None:
        raise ValueError("seed: means nothing without 'probability' or 'jitter'")
    if rule.after is not None and rule.forward is False:
        raise ValueError("after: there is no answer of a call that is not passed on")


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "action": read.one_of(get_args(Action)),
    "regions": read.names,
    "services": read.names,
    "operations": read.names,
    "callers": read.names,
    "probability": read.share,
    "seed": read.whole(0),
    "first": read.whole(1),
    "schedule": read.offsets,
    "status": read.status,
    "code": read.code,
    "message": read.text,
    "seconds": read.number("seconds"),
    "jitter": read.number("seconds"),
    "forward": read.flag,
    "after": read.whole(0),
    "rate": read.number("bytes per second", above=True),
    "limit": read.number("calls per second", above=True),
    "burst": read.whole(1),
    "description": read.note,
}
