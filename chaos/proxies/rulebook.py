"""Fault rules by id: set, replaced and removed at once, and how often each was met."""

from __future__ import annotations

from collections.abc import Callable, Collection, ItemsView, Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class AsJson(Protocol):
    """A rule, which can say how it was given."""

    def to_json(self) -> dict[str, Any]: ...


R = TypeVar("R", bound=AsJson)


def refuse_unknown(rule: Any, keys: Iterable[str]) -> None:
    """Raises ValueError for what is no rule given as JSON, or has a key that none has."""
    if not isinstance(rule, dict):
        raise ValueError(f"rule: must be an object, not {rule!r}")  # noqa: TRY004  # one error for all
    known = list(keys)
    for name in rule:
        if name not in known:
            raise ValueError(f"{name}: unknown; a rule has {', '.join(known)}")


def refuse_misplaced(
    rule: Any, *, needed: Mapping[str, str], belongs_to: Mapping[str, Collection[str]]
) -> None:
    """Raises ValueError for a key that the rule's action lacks, or has no use for.

    `needed` is by action, `belongs_to` has the actions to which a key means something.
    """
    if (name := needed.get(rule.action)) and getattr(rule, name) is None:
        raise ValueError(f"{name}: missing; {rule.action!r} needs it")
    for name, actions in belongs_to.items():
        if getattr(rule, name) is not None and rule.action not in actions:
            only = " and ".join(repr(action) for action in actions)
            raise ValueError(f"{name}: means nothing to {rule.action!r}, only to {only}")
    if (rule.jitter or 0.0) > (rule.seconds or 0.0):
        raise ValueError("jitter: must be at most the delay: nothing is answered before its time")


def as_given(rule: DataclassInstance) -> dict[str, Any]:
    """A rule as it was given, by its fields: those that are None were not."""
    given = {field.name: getattr(rule, field.name) for field in fields(rule)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value is not None
    }


class Rulebook(Generic[R]):
    """The rules in force, in the order in which they were put: the first that fits decides.

    `read` makes a rule of JSON, or raises ValueError or InvalidInput. Each function in `on_change`
    is called after every change, so that who holds something on behalf of a rule can look whether
    it still stands.
    """

    def __init__(self, read: Callable[[Any], R]) -> None:
        self.on_change: list[Callable[[], None]] = []
        self.read = read
        self._rules: dict[str, R] = {}
        self._hits: dict[str, int] = {}

    def put(self, id: str, rule: Any) -> None:  # noqa: A002  # its name in the control protocol
        """Set or replace a rule given as JSON; None removes it. Raises what `read` raises."""
        wanted = None if rule is None else self.read(rule)
        rules = dict(self._rules)
        if wanted is None:
            rules.pop(id, None)
        else:
            rules[id] = wanted
        self._replace(rules)

    def replace_all(self, given: Mapping[str, Any]) -> None:
        """Put these rules, in this order, in the place of all others; all of them or none.

        Raises what `read` raises. A rule that stays what it was goes on counting.
        """
        self._replace({name: self.read(rule) for name, rule in given.items()})

    def _replace(self, rules: Mapping[str, R]) -> None:
        before, self._rules = self._rules, dict(rules)
        for id, rule in rules.items():  # noqa: A001  # as above
            if rule != before.get(id):
                self._hits[id] = 0
        if [*before.items()] != [*rules.items()]:
            self._changed()

    def _changed(self) -> None:
        for notify in list(self.on_change):
            notify()

    def get(self, id: str) -> R | None:  # noqa: A002  # as above
        """The rule with that id, if there is one."""
        return self._rules.get(id)

    def items(self) -> ItemsView[str, R]:
        """The rules with their ids."""
        return self._rules.items()

    def hit(self, id: str) -> None:  # noqa: A002  # as above
        """Count what has met the rule."""
        self._hits[id] += 1

    def spare(self, id: str) -> None:  # noqa: A002  # as above
        """What was counted has come to nothing: it must not count as met."""
        self._hits[id] = max(0, self.hits(id) - 1)

    def hits(self, id: str) -> int:  # noqa: A002  # as above
        """How often the rule was met since it was put; kept when it is removed."""
        return self._hits.get(id, 0)

    def describe(self, id: str) -> dict[str, Any]:  # noqa: A002  # as above
        """The rule as it was given, or None, and its hits."""
        rule = self._rules.get(id)
        return {"rule": rule and rule.to_json(), "hits": self.hits(id)}
