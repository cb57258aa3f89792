"""The hands of a fault: `look`, which only reads, and `pull`, which records before it acts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from chaos.environments.environment import Environment
from chaos.errors import InjectionFailed
from chaos.faults.fault import Look, Pull
from chaos.history import Pull as Pulled
from chaos.history import lever_name, setting
from chaos.journal import Journal
from chaos.levers import Lever, Value, to_json
from probes.aws_api import reads

T = TypeVar("T")

BACK = ("restored", "already")


def looker(environment: Environment) -> Look:
    """`environment.call`, for operations that read; anything else is a defect of the fault."""

    async def look(service: str, region: str, operation: str, /, **params: Any) -> dict[str, Any]:
        if not reads(operation):
            raise InjectionFailed(f"a fault may only look, and {service} {operation} is no look")
        return await environment.call(service, region, operation, **params)

    return look


class Puller:
    """Moves levers, one after another, each recorded durably before it is touched."""

    def __init__(
        self, environment: Environment, journal: Journal, allowed: frozenset[str] = frozenset()
    ) -> None:
        self._environment = environment
        self._journal = journal
        self._allowed = allowed
        self.pulls: list[Pulled] = []
        self._turn = asyncio.Lock()

    def of_fault(self, fault: int) -> Pull:
        """The `pull` that is handed to the fault with this number."""

        async def pull(lever: Lever, value: Value, /) -> None:
            # A thread at work in a lever cannot be cancelled, so neither is the pull; but one that
            # still waits for its turn is not begun.
            async with self._turn:
                await to_its_end(self._pull(fault, lever, value))

        return pull

    async def _pull(self, fault: int, lever: Lever, value: Value) -> None:
        name = to_json(lever)
        self._refuse(lever, name)
        prior = await lever.read(self._environment)
        pull = Pulled(
            pull=len(self.pulls),
            fault=fault,
            lever=name,
            prior=prior,
            value=value,
            irreversible=lever.irreversible,
        )
        self._journal.write(
            "pull",
            pull=pull.pull,
            fault=fault,
            lever=name,
            prior=prior,
            value=value,
            irreversible=lever.irreversible,
        )
        self.pulls.append(pull)
        await self._journal.sync()  # only what the disk knows can be put back after a crash
        await lever.set(self._environment, value)
        found = await lever.read(self._environment)
        if found != value:
            raise InjectionFailed(
                f"{lever_name(name)} was set to {setting(value)} but reads {setting(found)}"
            )
        pulled = self._journal.write("pulled", pull=pull.pull, read=found)
        self.pulls[pull.pull] = replace(pull, done=pulled["t"])

    def _refuse(self, lever: Lever, name: dict[str, Any]) -> None:
        if lever.irreversible and lever.kind not in self._allowed:
            raise InjectionFailed(
                f"{lever_name(name)} cannot be put back; to allow it anyway, write"
                f" allow_irreversible: [{lever.kind}] in the experiment"
            )
        open_pulls = (pull for pull in self.pulls if pull.outcome not in BACK)
        if any(pull.lever == name for pull in open_pulls):
            raise InjectionFailed(
                f"{lever_name(name)} is already pulled by another fault of this run"
            )


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end whatever happens; a cancellation is raised only then."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except BaseException:  # noqa: BLE001  # it is the task's own and raised by result() below
            break
    if cancelled is not None:
        raise cancelled
    return task.result()
