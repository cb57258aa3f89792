"""What levers of a real account can tell besides their state: whom they touch, what they call.

Guards, `chaos plan` and `chaos iam-policy` ask for it. Levers of a lab need none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from chaos.environments.environment import Environment

Value = Any  # JSON: what a journal can hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A resource of an account that a lever touches.

    `type` is FIS's name for such a resource without `aws:`, such as `ec2:subnet`. `among` counts
    the resources of that type in its account and region, itself included; None: nobody knows.
    """

    type: str
    id: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None  # the availability zone, of what has one
    subnet: str | None = None  # the subnet it is in, or is
    group: str | None = None  # the Auto Scaling group that would replace it
    among: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the AWS API that changes something: boto3's names, and what it is done to."""

    service: str
    region: str
    operation: str
    to: str  # the resource, for people: `acl of subnet-1`


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Permissions as IAM writes them: `ec2:CreateNetworkAcl`, ARNs, a Condition block."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What it takes to look, to bring a fault about, and to put it back."""

    looks: tuple[Grant, ...] = ()
    injects: tuple[Grant, ...] = ()
    puts_back: tuple[Grant, ...] = ()

    def __or__(self, other: Grants) -> Grants:
        return Grants(
            looks=_once(*self.looks, *other.looks),
            injects=_once(*self.injects, *other.injects),
            puts_back=_once(*self.puts_back, *other.puts_back),
        )


def _once(*grants: Grant) -> tuple[Grant, ...]:
    return tuple(grant for n, grant in enumerate(grants) if grant not in grants[:n])


@runtime_checkable
class Targeting(Protocol):
    """The power of levers that know which resources they touch."""

    async def targets(self, environment: Environment) -> list[Target]:
        """Them, as they are now; raises CallFailed. Looks only."""


@runtime_checkable
class Rehearsing(Protocol):
    """The power of levers that know their calls before they make them."""

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """The calls that change something, in order, to bring it from `prior` to `value`."""


@runtime_checkable
class Expiring(Protocol):
    """The power of levers that AWS itself lets go of, when nobody puts them back."""

    def expires(self, value: Value) -> datetime | None:
        """When that value ends by itself (UTC); None: never."""


@runtime_checkable
class Priced(Protocol):
    """The power of levers that AWS charges for by the minute, as it does for FIS."""

    async def action_minutes(self, environment: Environment, value: Value) -> float | None:
        """FIS's action-minutes of that value, each action's rounded up; None: not known before.

        Looks only; raises CallFailed.
        """


@runtime_checkable
class Explains(Protocol):
    """The power of levers that others may put back, and that can tell why they did."""

    async def ended_because(self, environment: Environment) -> str:
        """Why it is back although nobody here has put it back; empty: it is not. Looks only."""


@runtime_checkable
class Halfway(Protocol):
    """The power of levers that take several steps, between which a process may die."""

    def halfway(self, found: Value, prior: Value, value: Value) -> bool:
        """Whether what it reads is a state that only our own steps between the two leave."""


@runtime_checkable
class Granted(Protocol):
    """The power of levers that say which permissions they take."""

    grants: ClassVar[Grants]
