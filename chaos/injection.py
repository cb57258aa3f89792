"""The hands of a fault: `look`, which only reads, and `pull`, which records before it acts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from chaos.environments.environment import Environment
from chaos.errors import InjectionFailed
from chaos.faults.fault import Pull
from chaos.history import Pull as Pulled
from chaos.history import lever_name, setting
from chaos.journal import Journal
from chaos.levers import Lever, Value, to_json
from chaos.levers.marked import bound
from probes.aws_api import reads

T = TypeVar("T")

BACK = ("restored", "already")


class Looker:
    """`environment.call`, for operations that read; anything else is a defect of the fault."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def kind(self) -> str:
        """The kind of environment that it looks at."""
        return self._environment.kind

    async def __call__(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        if not reads(operation):
            raise InjectionFailed(f"a fault may only look, and {service} {operation} is no look")
        return await self._environment.call(service, region, operation, **params)


class Puller:
    """Moves levers, one after another, each recorded durably before it is touched."""

    def __init__(
        self,
        environment: Environment,
        journal: Journal,
        allowed: frozenset[str] = frozenset(),
        *,
        run: str = "",
    ) -> None:
        self._environment = environment
        self._journal = journal
        self._allowed = allowed
        self._run = run
        self.pulls: list[Pulled] = []
        self._turn = asyncio.Lock()

    def of_fault(self, fault: int, account: str | None = None) -> Pull:
        """The `pull` that is handed to the fault with this number, for that account."""

        async def pull(lever: Lever, value: Value, /) -> None:
            # A thread at work in a lever cannot be cancelled, so neither is the pull; but one that
            # still waits for its turn is not begun.
            async with self._turn:
                await to_its_end(self._pull(fault, account, bound(lever, self._run), value))

        return pull

    async def _pull(self, fault: int, account: str | None, lever: Lever, value: Value) -> None:
        name, environment = to_json(lever), self._environment.at(account)
        self._refuse(lever, name, account)
        prior = await lever.read(environment)
        pull = Pulled(
            pull=len(self.pulls),
            fault=fault,
            account=account,
            lever=name,
            prior=prior,
            value=value,
            irreversible=lever.irreversible,
        )
        self._journal.write(
            "pull",
            pull=pull.pull,
            fault=fault,
            account=account,
            lever=name,
            prior=prior,
            value=value,
            irreversible=lever.irreversible,
        )
        self.pulls.append(pull)
        await self._journal.sync()  # only what the disk knows can be put back after a crash
        await lever.set(environment, value)
        found = await lever.read(environment)
        if found != value:
            raise InjectionFailed(
                f"{lever_name(name)} was set to {setting(value)} but reads {setting(found)}"
            )
        pulled = self._journal.write("pulled", pull=pull.pull, read=found)
        self.pulls[pull.pull] = replace(pull, done=pulled["t"])

    def _refuse(self, lever: Lever, name: dict[str, Any], account: str | None) -> None:
        if lever.irreversible and lever.kind not in self._allowed:
            raise InjectionFailed(
                f"{lever_name(name)} cannot be put back; to allow it anyway, write"
                f" allow_irreversible: [{lever.kind}] in the experiment"
            )
        open_pulls = (pull for pull in self.pulls if pull.outcome not in BACK)
        if any((pull.lever, pull.account) == (name, account) for pull in open_pulls):
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
