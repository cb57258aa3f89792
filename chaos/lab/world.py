"""A lab that is up: all its parts, and what can be asked of it from outside."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.errors import InvalidInput
from chaos.lab.balancer import Balancer
from chaos.lab.control import Operation
from chaos.lab.control_plane import ControlPlane
from chaos.lab.declaration import Lab
from chaos.lab.fleet import Fleet
from chaos.lab.instances import key_of
from chaos.lab.network import Network
from chaos.lab.replication import Replication
from chaos.lab.route53 import Route53
from chaos.lab.services import Service
from chaos.loops import speed_of
from chaos.proxies.rulebook import Rulebook
from chaos.proxies.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The parts, and where they answer: `dns` is a port, `api` and `operator` are URLs."""

    lab: Lab
    directory: Path
    dns: int
    api: str
    operator: str
    control_plane: ControlPlane
    rules: Rules
    network: Network
    fleet: Fleet
    balancers: Mapping[tuple[str, str], Balancer]
    route53: Route53
    replication: Replication

    def describe(self) -> dict[str, Any]:
        """What there is and where, as JSON."""
        route53 = self.route53.describe()
        return {
            "lab": self.lab.name,
            "pid": os.getpid(),
            "directory": str(self.directory),
            "control": str(control_path(self.directory)),
            "speed": speed_of(asyncio.get_running_loop()),
            "regions": [*self.lab.regions],
            "services": {
                name: {"depends_on": dependencies(service), "caller": key_of(name)[0]}
                for name, service in self.lab.services.items()
            },
            "zones": {region: [*zones] for region, zones in self.lab.regions.items()},
            "dns": ["127.0.0.1", self.dns],
            "api": self.api,
            "operator": self.operator,
            "ports": {"80": self.network.port},
            "instances": self.fleet.describe(),
            "balancers": [balancer.describe() for balancer in self.balancers.values()],
            "health_checks": route53["health_checks"],
            "names": route53["names"],
        }

    def operations(self) -> dict[str, Operation]:
        """What can be asked of it on the control socket."""
        return {
            "describe_lab": self._describe_lab,
            "pulse": self._pulse,
            **ruled("api_rule", self.rules),
            **ruled("dns_rule", self.route53.rules),
            **ruled("link_rule", self.network.links.rules),
            "describe_reachability": self._describe_reachability,
            "put_reachability": self._put_reachability,
            "describe_replication": self._describe_replication,
            "put_replication": self._put_replication,
        }

    async def _describe_lab(self) -> dict[str, Any]:
        return self.describe()

    async def _pulse(self) -> dict[str, Any]:
        await self.control_plane.pulse()
        return {}

    async def _describe_reachability(self, scope: str) -> dict[str, Any]:
        gate = self.network.gates[scope]
        return {"state": gate.state, "hits": gate.met()}

    async def _put_reachability(self, scope: str, state: str) -> dict[str, Any]:
        self.network.gates.put(scope, state)
        return {}

    async def _describe_replication(self, region: str) -> dict[str, Any]:
        self._known(region)
        return {
            "state": self.replication.state(region),
            "pending": self.replication.pending(region),
        }

    async def _put_replication(self, region: str, state: str) -> dict[str, Any]:
        self._known(region)
        if state == "off":
            await self.replication.pause(region)
        elif state == "on":
            self.replication.resume(region)
        else:
            raise InvalidInput(f"replication cannot be {state!r}; it can be on or off")
        return {}

    def _known(self, region: str) -> None:
        if region not in self.lab.regions:
            known = ", ".join(self.lab.regions)
            raise InvalidInput(f"no region {region!r} in this lab; there is {known}")


def ruled(kind: str, rules: Rulebook[Any]) -> dict[str, Operation]:
    """The two operations by which rules of that kind are looked at, and put or removed."""

    async def describe(id: str) -> dict[str, Any]:  # noqa: A002  # the protocol's word
        return rules.describe(id)

    async def put(id: str, rule: Any) -> dict[str, Any]:  # noqa: A002  # as above
        rules.put(id, rule)
        return {}

    return {f"describe_{kind}": describe, f"put_{kind}": put}


def dependencies(service: Service) -> list[str]:
    """What a service calls: other services, and services of AWS as boto3 names them."""
    aws = {
        "dynamodb": service.table,
        "s3": service.bucket,
        "secretsmanager": service.secret,
        "sqs": service.queue,
        "stepfunctions": service.app == "encoder",
    }
    return [*service.depends_on, *(name for name, used in aws.items() if used)]


def control_path(directory: Path) -> Path:
    """Where the control socket is."""
    return directory / "control.sock"
