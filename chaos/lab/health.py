"""Health checkers: several for each check, unsynchronised, each with an opinion of its own.

Source of the rules: "How Amazon Route 53 determines whether a health check is healthy".
"""

from __future__ import annotations

import asyncio
import graphlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.errors import EnvironmentFailed
from chaos.lab.chance import CHANCE
from chaos.lab.health_check import HealthCheck, passes

Address = tuple[str, int]

# AWS has about sixteen checkers for each check; three tell the same story with less noise.
CHECKERS = 3
HEALTHY_ABOVE = 0.18


@dataclass(slots=True)
class Checker:
    """The opinion of one checker: it changes after `threshold` contrary results in a row."""

    healthy: bool = True
    contrary: int = 0

    def saw(self, passed: bool, threshold: int) -> None:
        """Take in the result of one request."""
        self.contrary = self.contrary + 1 if passed != self.healthy else 0
        if self.contrary >= threshold:
            self.healthy, self.contrary = passed, 0


def agreed(opinions: Sequence[bool]) -> bool:
    """Healthy if more than 18 % of the checkers say so."""
    return sum(opinions) > HEALTHY_ABOVE * len(opinions)


def refuse_circles(checks: Iterable[HealthCheck]) -> None:
    """Raise EnvironmentFailed for calculated checks that depend on themselves."""
    try:
        graphlib.TopologicalSorter({check.id: check.children for check in checks}).prepare()
    except graphlib.CycleError as error:
        circle = " → ".join(error.args[1])
        raise EnvironmentFailed(
            f"calculated health checks go round in a circle: {circle}"
        ) from error


class HealthCheckers:
    """Runs `count` checkers for each check it is given.

    `resolve` finds the address of a check that has only a name; `route` says where an address and
    port really are; either gives None for what does not exist, which fails the request.
    """

    def __init__(
        self,
        *,
        count: int = CHECKERS,
        resolve: Callable[[str], str | None],
        route: Callable[[str, int], Address | None],
        passes: Callable[[HealthCheck, Address], Awaitable[bool]] = passes,
    ) -> None:
        self._count = count
        self._resolve = resolve
        self._route = route
        self._passes = passes
        self._checks: dict[str, HealthCheck] = {}
        self._checkers: dict[str, list[Checker]] = {}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}

    def set(self, checks: Iterable[HealthCheck]) -> None:
        """From now on these are the checks: new ones start healthy, those that are gone stop.

        A check that was there keeps its checkers and their opinions; changed settings count from
        the next request on.
        """
        before, self._checks = self._checks, {check.id: check for check in checks}
        for gone in before.keys() - self._checks.keys():
            del self._checkers[gone]
            for task in self._tasks.pop(gone):
                task.cancel()
        for check in self._checks.values():
            if check.id not in before:
                self._begin(check)

    def healthy(self, check_id: str) -> bool:
        """The status of a check; one that does not exist has nothing against its records."""
        check = self._checks.get(check_id)
        if check is None:
            return True
        return (check.disabled or self._found_healthy(check)) != check.inverted

    def describe(self) -> list[dict[str, Any]]:
        """Each check with its status and its checkers' opinions."""
        return [
            {
                "id": check.id,
                "name": check.name,
                "healthy": self.healthy(check.id),
                "checkers": [checker.healthy for checker in self._checkers[check.id]],
            }
            for check in self._checks.values()
        ]

    async def stop(self) -> None:
        """End all checkers and wait for it."""
        tasks = [task for tasks in self._tasks.values() for task in tasks]
        self.set([])
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, check: HealthCheck) -> None:
        count = 0 if check.type == "CALCULATED" else self._count
        checkers = [Checker() for _ in range(count)]
        self._checkers[check.id] = checkers
        self._tasks[check.id] = [
            asyncio.create_task(
                self._watch(check, checker, check.interval * CHANCE.phase(check.name, n, count))
            )
            for n, checker in enumerate(checkers)
        ]
        for task in self._tasks[check.id]:
            task.add_done_callback(_raise_defects)

    def _found_healthy(self, check: HealthCheck) -> bool:
        if check.type == "CALCULATED":
            return sum(map(self.healthy, check.children)) >= check.needed
        return agreed([checker.healthy for checker in self._checkers[check.id]])

    async def _watch(self, check: HealthCheck, checker: Checker, phase: float) -> None:
        await asyncio.sleep(phase)
        while True:
            check = self._checks[check.id]
            if not check.disabled:
                checker.saw(await self._request(check), check.threshold)
            await asyncio.sleep(check.interval)

    async def _request(self, check: HealthCheck) -> bool:
        ip = check.ip or self._resolve(check.fqdn)
        address = self._route(ip, check.port) if ip else None
        return address is not None and await self._passes(check, address)


def _raise_defects(task: asyncio.Task[None]) -> None:
    """A checker only ends when it is told to: an opinion must not freeze without a word."""
    if not task.cancelled() and (error := task.exception()):
        raise error
