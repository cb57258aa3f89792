"""Levers of the lab's data plane: the rules of its AWS API proxy, reachability, replication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRule:
    """A rule of the proxy between the workload and the AWS API, or its absence.

    Put back to the rule that was there before, or to none.
    """

    kind: ClassVar[str] = "api_rule"
    irreversible: ClassVar[bool] = False

    id: str

    async def read(self, environment: Environment) -> Any:
        return (await environment.call("lab", "", "describe_api_rule", id=self.id))["rule"]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call("lab", "", "put_api_rule", id=self.id, rule=value)

    async def noticed(self, environment: Environment) -> int:
        return int((await environment.call("lab", "", "describe_api_rule", id=self.id))["hits"])


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRule:
    """A rule for the traffic between two services of the lab, or its absence.

    Put back to the rule that was there before, or to none.
    """

    kind: ClassVar[str] = "link_rule"
    irreversible: ClassVar[bool] = False

    id: str

    async def read(self, environment: Environment) -> Any:
        return (await environment.call("lab", "", "describe_link_rule", id=self.id))["rule"]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call("lab", "", "put_link_rule", id=self.id, rule=value)

    async def noticed(self, environment: Environment) -> int:
        return int((await environment.call("lab", "", "describe_link_rule", id=self.id))["hits"])


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRule:
    """A rule of the lab's DNS server, or its absence.

    Put back to the rule that was there before, or to none.
    """

    kind: ClassVar[str] = "dns_rule"
    irreversible: ClassVar[bool] = False

    id: str

    async def read(self, environment: Environment) -> Any:
        return (await environment.call("lab", "", "describe_dns_rule", id=self.id))["rule"]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call("lab", "", "put_dns_rule", id=self.id, rule=value)

    async def noticed(self, environment: Environment) -> int:
        return int((await environment.call("lab", "", "describe_dns_rule", id=self.id))["hits"])


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
    """Whether a region's DynamoDB tables replicate, in both directions: `on` or `off`.

    Put back to what it was. What waited meanwhile is copied then, as DynamoDB does.
    """

    kind: ClassVar[str] = "replication"
    irreversible: ClassVar[bool] = False

    region: str

    async def read(self, environment: Environment) -> Any:
        answer = await environment.call("lab", "", "describe_replication", region=self.region)
        return answer["state"]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call("lab", "", "put_replication", region=self.region, state=value)
