"""What the rules do to one call, each for as long as it stands."""

from __future__ import annotations

from typing import NamedTuple

from chaos.proxies.effect import Effect
from chaos.proxies.rules import Rule, Rules


class Hold(NamedTuple):
    """An effect, and the rule that decided on it as it was then."""

    effect: Effect
    rule: Rule | None


class Grip:
    """The effects that a call has met; those whose rules go are lifted."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._holds: list[Hold] = []
        self.passed: set[str] = set()

    def take(self, effect: Effect) -> Hold:
        """Remember the rule as it stands now."""
        return Hold(effect, self._rules.in_force(effect.rule))

    def stands(self, hold: Hold) -> bool:
        """Whether the rule is what it was."""
        return self._rules.in_force(hold.effect.rule) == hold.rule

    def await_answer(self, hold: Hold) -> None:
        """The effect will befall the answer."""
        self._holds.append(hold)

    def lift(self) -> bool:
        """Forget what no longer stands; whether there was something."""
        before = len(self._holds)
        self._holds = [hold for hold in self._holds if self.stands(hold)]
        return len(self._holds) < before

    @property
    def rate(self) -> float | None:
        """Bytes per second of the answer's body."""
        return min((h.effect.rate for h in self._holds if h.effect.rate), default=None)

    @property
    def end(self) -> Hold | None:
        """What the answer meets instead of its own end."""
        return next((h for h in self._holds if h.effect.action != "pass"), None)
