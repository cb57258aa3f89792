"""What a fault does to the traffic of one service to another: the links of the lab.

A link leads from a consumer, known by the address that it connects from, to a service in one
region: to its balancer and its hosts. What does not come from an instance is one of the `clients`.
The checks of a service's own balancer stay inside the service and pass no link.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chaos.errors import InvalidInput
from chaos.proxies.rulebook import Rulebook

CLIENTS = "clients"

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Rule(BaseModel):
    """Links to match, and what happens on them; None is: any.

    refuse    a connection is reset as soon as it is accepted, and one that stands at once. A client
              sees a reset, not ECONNREFUSED: the same socket has to let other consumers in
    hang      a connection is accepted and never answered; one that stands is frozen
    error     an HTTP request is answered with `status`; a connection that stands is reset
    delay     an answer (what first comes back after the consumer has said something) is held back
              for `seconds`, give or take up to `jitter`; seconds of the loop
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["refuse", "hang", "error", "delay"]
    to: str
    from_: str | None = Field(default=None, alias="from")
    regions: tuple[str, ...] | None = Field(default=None, min_length=1)
    status: int | None = Field(default=None, ge=400, le=599)
    seconds: Seconds | None = None
    jitter: Seconds | None = None

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read a rule strictly; raises InvalidInput."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            wrong = error.errors()[0]
            where = ".".join(str(step) for step in wrong["loc"]) or "rule"
            raise InvalidInput(f"{where}: {wrong['msg'].removeprefix('Value error, ')}") from error

    def to_json(self) -> dict[str, Any]:
        """The rule as it was given."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.action == "error") != (self.status is not None):
            raise ValueError("the action 'error' needs a 'status', and no other has one")
        if (self.action == "delay") != (self.seconds is not None):
            raise ValueError("the action 'delay' needs 'seconds', and no other has them")
        if self.jitter is not None and self.jitter > (self.seconds or 0.0):
            raise ValueError("'jitter' is at most the 'seconds' of a delay")
        return self

    def matches(self, link: Link) -> bool:
        """Whether the link is meant."""
        return (
            self.to == link.service
            and (self.from_ is None or self.from_ == link.consumer)
            and (self.regions is None or link.region in self.regions)
        )


class Passing(Protocol):
    """A connection on a link."""

    def link_changed(self) -> None:
        """Look at the link's rule again."""


@dataclass(slots=True, eq=False)
class Link:
    """One consumer's way to a service in one region, and the rule in force on it."""

    rules: Rulebook[Rule] = field(default_factory=lambda: Rulebook(Rule.from_json))
    consumer: str = CLIENTS
    service: str = ""
    region: str = ""
    rule: Rule | None = None
    passing: set[Passing] = field(default_factory=set)
    by: str = ""  # the rule's id

    def hit(self) -> None:
        """A connection or a request has met the rule."""
        self.rules.hit(self.by)

    def look_again(self) -> None:
        """Find the rule that is in force now, and tell what passes when it is another one."""
        meant = ((id, rule) for id, rule in self.rules.items() if rule.matches(self))  # noqa: A001
        before = self.rule
        self.by, self.rule = next(meant, ("", None))
        for one in [*self.passing] if self.rule != before else ():
            one.link_changed()

    def lateness(self) -> float:
        """For how many seconds an answer that comes now is held back."""
        if self.rule is None or self.rule.seconds is None:
            return 0.0
        self.hit()
        jitter = self.rule.jitter or 0.0
        return self.rule.seconds + random.uniform(-jitter, jitter)


class Links:
    """All links of a lab, and the rules on them; a rule for a service that is not is refused."""

    def __init__(self, services: Collection[str] = ()) -> None:
        self.rules = Rulebook(lambda rule: self._checked(Rule.from_json(rule)))
        self.rules.on_change.append(self._look_again)
        self._services = services
        self._consumers: dict[str, str] = {}
        self._links: dict[tuple[str, str, str], Link] = {}

    def lives_at(self, ip: str, service: str) -> None:
        """Whatever connects from that address is this service."""
        self._consumers[ip] = service

    def link(self, peer: str, service: str, region: str) -> Link:
        """The link on which a connection from that address comes in."""
        key = (self._consumers.get(peer, CLIENTS), service, region)
        if key not in self._links:
            self._links[key] = Link(self.rules, *key)
            self._links[key].look_again()
        return self._links[key]

    def _look_again(self) -> None:
        for link in self._links.values():
            link.look_again()

    def _checked(self, rule: Rule) -> Rule:
        for name, also in ((rule.to, ()), (rule.from_ or CLIENTS, (CLIENTS,))):
            known = [*self._services, *also]
            if name not in known:
                close = get_close_matches(name, known, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise InvalidInput(f"no service {name!r} here; there is {', '.join(known)}{hint}")
        return rule
