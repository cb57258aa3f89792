"""Levers of the lab's data plane: the rules of its AWS API proxy, reachability, replication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What levers of rules have in common: the value is the rule as JSON, None is its absence."""

    kind: ClassVar[str]
    irreversible: ClassVar[bool] = False

    id: str

    async def read(self, environment: Environment) -> Any:
        return (await self._describe(environment))["rule"]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call("lab", "", f"put_{self.kind}", id=self.id, rule=value)

    async def noticed(self, environment: Environment) -> int:
        return int((await self._describe(environment))["hits"])

    async def _describe(self, environment: Environment) -> dict[str, Any]:
        return await environment.call("lab", "", f"describe_{self.kind}", id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRule(Rule):
    """A rule of the proxy between the workload and the AWS API, or its absence.

    Put back to the rule that was there before, or to none.
    """

    kind: ClassVar[str] = "api_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRule(Rule):
    """A rule for the traffic between two services of the lab, or its absence.

    Put back to the rule that was there before, or to none.
    """

    kind: ClassVar[str] = "link_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRule(Rule):
    """A rule of the lab's DNS server, or its absence.

    Put back to the rule that was there before, or to none.
    """

    kind: ClassVar[str] = "dns_rule"


# The state of a gate by what who comes up against it sees, as faults call it.
CLOSED = {"hang": "drop", "refuse": "refuse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachability:
    """Whether the addresses of a region or zone answer from outside: `open`, `drop` or `refuse`.

    Put back to what it was, which is `open` unless another fault is on.
    """

    kind: ClassVar[str] = "reachability"
    irreversible: ClassVar[bool] = False

    scope: str

    async def read(self, environment: Environment) -> Any:
        return (await environment.call("lab", "", "describe_reachability", scope=self.scope))[
            "state"
        ]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call("lab", "", "put_reachability", scope=self.scope, state=value)

    async def noticed(self, environment: Environment) -> int:
        answer = await environment.call("lab", "", "describe_reachability", scope=self.scope)
        return int(answer["hits"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """Whether a region's tables and buckets replicate, in both directions: `on` or `off`.

    Put back to what it was. What waited meanwhile is copied then, as both services do.
    """

    kind: ClassVar[str] = "replication"
    irreversible: ClassVar[bool] = False

    region: str

    async def read(self, environment: Environment) -> Any:
        answer = await environment.call("lab", "", "describe_replication", region=self.region)
        return answer["state"]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call("lab", "", "put_replication", region=self.region, state=value)
