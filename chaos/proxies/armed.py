"""A rule of the AWS API proxy in force: what it drew, counted and let through so far."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from chaos.proxies.effect import Effect
from chaos.proxies.request import ApiRequest
from chaos.proxies.throttling import Bucket, answer_of

if TYPE_CHECKING:
    from chaos.proxies.rules import Rule

# As in LocalStack's chaos API.
DEFAULT_STATUS = 503
DEFAULT_CODE = "ServiceUnavailable"
# Clients choose region, service and operation: what more than so many kinds met is one kind.
MOST_KINDS = 500
# uvloop's timers may be so many seconds early; what has gone off must be off when it is said.
EARLY_S = 0.01


class Met(NamedTuple):
    """Which kind of calls a rule has affected."""

    service: str
    operation: str
    region: str


OTHER = Met("other", "other", "other")


class Armed:
    """One rule and its state. A rule that is put anew, with other values, begins anew."""

    def __init__(self, id: str, rule: Rule, changed: Callable[[], None]) -> None:  # noqa: A002  # its name in the control protocol
        self.id = id
        self.rule = rule
        self.matched = 0
        self.met: Counter[Met] = Counter()
        self.seed = random.getrandbits(32) if rule.seed is None else rule.seed
        self._services = _signing(rule.services)
        self._random = random.Random(self.seed)
        self._asked = 0
        self._since = self._now()
        self._bucket: Bucket | None = None
        if rule.limit is not None:
            self._bucket = Bucket(rule.limit, rule.burst or max(1.0, rule.limit), self._since)
        self._timers = [self._when(offset, changed) for offset in (rule.schedule or ())[1::2]]

    @property
    def draws(self) -> bool:
        """Whether chance has a part in what it does."""
        return self.rule.probability is not None or self.rule.jitter is not None

    def meet(self, request: ApiRequest) -> Effect | None:
        """What it does to the call: None when it lets it through."""
        if not self.means(request):
            return None
        self.matched += 1
        if not self.on() or self._exhausted() or not self._drawn():
            return None
        if self._bucket and self._bucket.take(self._now()):
            return None
        self._count(request)
        return self._effect(request)

    def means(self, request: ApiRequest) -> bool:
        """Whether the call is meant; one that says no region is in none."""
        rule = self.rule
        return (
            (rule.regions is None or request.region in rule.regions)
            and (self._services is None or request.service in self._services)
            and (rule.operations is None or request.operation in rule.operations)
            and (rule.callers is None or request.access_key in rule.callers)
        )

    def on(self) -> bool:
        """Whether its schedule, if it has one, says so now."""
        schedule = self.rule.schedule
        return schedule is None or bisect_right(schedule, self._now() - self._since) % 2 == 1

    def disarm(self) -> None:
        """It is no longer in force."""
        for timer in self._timers:
            timer.cancel()

    def _now(self) -> float:
        """The loop's time, for a rule that needs it: others can be put before there is a loop."""
        timed = self.rule.schedule is not None or self.rule.limit is not None
        return asyncio.get_running_loop().time() if timed else 0.0

    def _when(self, offset: float, changed: Callable[[], None]) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_at(self._since + offset + EARLY_S, changed)

    def _exhausted(self) -> bool:
        self._asked += 1
        return self.rule.first is not None and self._asked > self.rule.first

    def _drawn(self) -> bool:
        wanted = self.rule.probability
        return wanted is None or self._random.random() < wanted

    def _count(self, request: ApiRequest) -> None:
        kind = Met(request.service or "", request.operation or "", request.region or "")
        if kind not in self.met and len(self.met) >= MOST_KINDS:
            kind = OTHER
        self.met[kind] += 1

    def _effect(self, request: ApiRequest) -> Effect:
        rule = self.rule
        match rule.action:
            case "delay":
                spread = rule.jitter or 0.0
                delay = (rule.seconds or 0.0) + self._random.uniform(-spread, spread)
                return Effect(rule=self.id, delay=delay)
            case "bandwidth":
                return Effect(rule=self.id, rate=rule.rate)
            case "error" | "throttle":
                return self._error(request)
            case "reset" | "truncate":
                forward = rule.action == "truncate" or rule.after is not None
                return Effect(
                    rule=self.id,
                    action=rule.action,
                    forward=forward or bool(rule.forward),
                    after=rule.after or 0,
                )
        return Effect(rule=self.id, action=rule.action, forward=bool(rule.forward))

    def _error(self, request: ApiRequest) -> Effect:
        rule, default = self.rule, (DEFAULT_STATUS, DEFAULT_CODE)
        if rule.action == "throttle":
            default = answer_of(request.service)
        return Effect(
            rule=self.id,
            action="error",
            status=rule.status or default[0],
            code=rule.code or default[1],
            message=(rule.message or "").replace("{service}", request.service or "unknown"),
            forward=bool(rule.forward),
        )


def _signing(names: tuple[str, ...] | None) -> frozenset[str] | None:
    """The signing names; a name that no service of AWS has is its own."""
    if names is None:
        return None
    from chaos.proxies.operations import signing_of  # it reads botocore's files

    return frozenset().union(*(signing_of(name) or {name} for name in names))
