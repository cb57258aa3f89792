"""LocalStack's chaos API on the rules of the AWS API proxy: faults and effects.

What it sets are rules as any other, with ids of its own; those that others have put are left
alone, and are asked first.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from chaos.proxies.chaos_values import Fault, read_faults, read_latency, rule_of
from chaos.proxies.rules import Rule, Rules

LATENCY = "latency"  # the id of the rule that the effect is
FAULT = "fault-"  # what the ids of the faults begin with


class ChaosApi:
    """Reads and sets faults and effects; raises ValueError that begins with the field's name."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._given: dict[str, Fault] = {}  # by the id of its rule

    def faults(self) -> list[Fault]:
        """Those in force, as they were given."""
        return list(self._standing().values())

    def replace(self, faults: Any) -> None:
        """Set these in the place of all."""
        self._set({}, read_faults(faults))

    def append(self, faults: Any) -> None:
        """Set these behind those in force."""
        self._set(self._standing(), read_faults(faults))

    def remove(self, faults: Any) -> None:
        """Lift those that are exactly equal to one of these."""
        gone = read_faults(faults)
        self._set({name: one for name, one in self._standing().items() if one not in gone}, [])

    def effects(self) -> dict[str, int]:
        """The latency of all calls, in milliseconds."""
        rule = self._rules.get(LATENCY)
        return {"latency": round(1000 * (rule.seconds or 0)) if rule else 0}

    def affect(self, effects: Any) -> None:
        """Set the latency of all calls: it comes before any other rule."""
        milliseconds = read_latency(effects)
        slow = {LATENCY: {"action": "delay", "seconds": milliseconds / 1000}}
        rules = {name: rule.to_json() for name, rule in self._rules.items() if name != LATENCY}
        self._rules.replace_all({**(slow if milliseconds else {}), **rules})

    def _standing(self) -> dict[str, Fault]:
        """Those whose rule nobody else has replaced since."""
        return {
            name: fault
            for name, fault in self._given.items()
            if self._rules.get(name) == Rule.from_json(rule_of(fault))
        }

    def _set(self, kept: dict[str, Fault], new: list[Fault]) -> None:
        ours = self._standing()
        others = {name: rule.to_json() for name, rule in self._rules.items() if name not in ours}
        free = (name for n in count(1) if (name := f"{FAULT}{n}") not in {**others, **kept})
        faults = {**kept, **{name: fault for fault, name in zip(new, free, strict=False)}}
        self._rules.replace_all({**others, **{name: rule_of(f) for name, f in faults.items()}})
        self._given = faults
