"""What levers have in common that deny something by a resource's policy, for a time."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast

from chaos.environments.environment import Environment
from chaos.levers.expiry import parsed
from chaos.levers.lever import Value
from chaos.levers.marked import named, refuse_others
from chaos.levers.paging import Call as Calling
from chaos.levers.policies import (
    Policy,
    Statement,
    marked,
    merged,
    run_of,
    same,
    sid,
    statements,
    without,
)
from chaos.levers.powers import Call
from chaos.levers.settled import settled

BARE = "(no policy)"
D = TypeVar("D", bound="Denial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource's policy; `revision` is what a service gives so that no other edit is lost."""

    policy: Policy | None
    revision: str = ""


class Denial(ABC):
    """The value is None, or `{"until": time}` while our statements are in the policy.

    All else in the policy is others': it is kept as it is, and whatever they change meanwhile.
    """

    kind: ClassVar[str]
    irreversible: ClassVar[bool] = False
    service: ClassVar[str]
    puts: ClassVar[str]  # the operation that puts a policy
    deletes: ClassVar[str] = ""  # the one that deletes it; none where there always is a policy
    again_after: ClassVar[tuple[str, ...]] = ()  # codes after which it is worth another look

    # Fields of the dataclasses that come of it.
    region: str
    run: str
    before: str | None  # BARE, where the resource had no policy: then the last call is another

    @property
    @abstractmethod
    def resource(self) -> str:
        """Whose policy it is, for people."""

    @abstractmethod
    def denials(self) -> list[Statement]:
        """The statements, without Sid and without the condition of time."""

    @abstractmethod
    async def found(self, call: Calling) -> Found:
        """The policy as it is now; `call` is an environment's, or the look of a fault."""

    @abstractmethod
    async def put(self, environment: Environment, text: str, revision: str) -> None:
        """Put this policy, unless it has changed since that revision."""

    @abstractmethod
    async def delete(self, environment: Environment, revision: str) -> None:
        """Delete the policy."""

    async def read(self, environment: Environment) -> Value:
        return self._state(marked((await self._look(environment)).policy))

    async def set(self, environment: Environment, value: Value) -> None:
        async def step() -> None:
            found = await self._look(environment)
            wanted = without(found.policy)
            if value is not None:
                named(self.run)
                wanted = merged(wanted, self._statements(value["until"]))
            if wanted is None and found.policy is not None:
                await self.delete(environment, found.revision)
            elif wanted is not None and not same(wanted, found.policy):
                await self.put(environment, json.dumps(wanted), found.revision)

        await settled(self, environment, value, step, *self.again_after)

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """One: the policy is put, or deleted where there was none."""
        if prior == value:
            return []
        put = value is not None or self.before != BARE
        operation = self.puts if put else self.deletes
        to = f"policy of {self.resource}"
        return [Call(service=self.service, region=self.region, operation=operation, to=to)]

    def expires(self, value: Value) -> datetime | None:
        """The moment in the condition: after it the statements deny nothing."""
        return parsed(value["until"]) if value else None

    async def _look(self, environment: Environment) -> Found:
        found = await self.found(environment.call)
        for statement in marked(found.policy):
            refuse_others(f"the policy of {self.resource}", run_of(statement), self.run)
        return found

    def _state(self, ours: list[Statement]) -> Value:
        if not ours:
            return None
        until = _until(ours[0])
        if until and same(ours, self._statements(until)):
            return {"until": until}
        return {"changed": ours}

    def _statements(self, until: str) -> list[Statement]:
        return [
            {"Sid": sid(self.run, number), "Effect": "Deny", "Principal": "*", **denial}
            | {"Condition": denial.get("Condition", {}) | {"DateLessThan": _before(until)}}
            for number, denial in enumerate(self.denials())
        ]


async def knowing(lever: D, look: Calling) -> D:
    """The same lever, knowing whether there is a policy."""
    before = None if (await lever.found(look)).policy else BARE
    changed: Any = replace(cast("Any", lever), before=before)
    return cast("D", changed)


def parse(text: str | None) -> Policy | None:
    """A policy as a service tells it; None for none."""
    policy: Policy | None = json.loads(text) if text else None
    return policy if statements(policy) else None


def _before(until: str) -> dict[str, str]:
    return {"aws:CurrentTime": until}


def _until(statement: Statement) -> str:
    time: Any = statement.get("Condition", {}).get("DateLessThan", {}).get("aws:CurrentTime")
    time = time[0] if isinstance(time, list) and time else time
    try:
        parsed(str(time))
    except ValueError:
        return ""
    return str(time)
