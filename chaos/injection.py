"""The hands of a fault: `look`, which only reads, and `pull`, which records before it acts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from chaos.environments.environment import Environment
from chaos.errors import InjectionFailed
from chaos.faults.fault import Pull
from chaos.history import BACK, RECORDED, lever_name, setting
from chaos.history import Pull as Pulled
from chaos.journal import Journal
from chaos.levers import Lever, Value, to_json
from chaos.levers.marked import bound
from chaos.loops import speed_of
from chaos.outside import must_be_outside, tell_outside
from chaos.recording import Recorded
from probes.aws_api import reads

T = TypeVar("T")

# So many levers are set at the same time.
SIDE_BY_SIDE = 8
# Seconds of the wall between two looks at a lever that was set, where a read may be stale.
LOOK_EVERY_S = 0.5

Permit = Callable[[int, str | None, Lever], Awaitable[None]]
Claim = tuple[dict[str, Any], str | None]  # a lever as a journal holds it, and its account


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
    """Moves levers: each recorded durably, one by one, before it is touched; set side by side."""

    def __init__(
        self,
        environment: Environment,
        journal: Journal,
        allowed: frozenset[str] = frozenset(),
        *,
        run: str = "",
        permit: Permit | None = None,
    ) -> None:
        """`permit` is asked before each pull; it raises InjectionFailed."""
        self._environment = environment
        self._journal = journal
        self._allowed = allowed
        self._run = run
        self._permit = permit
        self.pulls: list[Pulled] = []
        self._seats = asyncio.Semaphore(SIDE_BY_SIDE)
        self._turn = asyncio.Lock()
        self._claims: list[Claim] = []  # what is about to be pulled, and not recorded yet
        self._under_way: set[asyncio.Future[None]] = set()
        self._over = False

    def of_fault(self, fault: int, account: str | None = None) -> Pull:
        """The `pull` that is handed to the fault with this number, for that account."""

        async def pull(lever: Lever, value: Value, /) -> None:
            # A thread at work in a lever cannot be cancelled, so neither is the pull; but one that
            # still waits for its turn is not begun.
            async with self._seats:
                task = asyncio.ensure_future(
                    self._pull(fault, account, bound(lever, self._run), value)
                )
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
                await to_its_end(task)

        return pull

    def end(self) -> None:
        """No lever is moved from now on, but for those that are being set already."""
        self._over = True

    async def at_rest(self) -> None:
        """End, and return when no pull is under way: what a fault left behind may still be."""
        self.end()
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _pull(self, fault: int, account: str | None, lever: Lever, value: Value) -> None:
        environment = self._environment.at(account)
        with self._claimed(lever, account):
            if self._permit is not None:
                await self._permit(fault, account, lever)
            prior = await lever.read(environment)
            async with self._turn:
                pull = await self._write_ahead(fault, account, lever, prior, value)
        await self._refuse_changed(lever, environment, pull)
        self._not_over()
        await lever.set(Recorded(environment, self._journal, pull, undo=False), value)
        found = await self._read_again(lever, environment, value)
        if found != value:
            raise InjectionFailed(
                f"{lever_name(pull.lever)} was set to {setting(value)} but reads {setting(found)}"
            )
        pulled = self._journal.write("pulled", pull=pull.pull, read=found)
        self.pulls[pull.pull] = replace(pull, done=pulled["t"])
        await tell_outside(self._journal, pulled)

    async def _refuse_changed(self, lever: Lever, environment: Environment, pull: Pulled) -> None:
        """To write it down outside takes a while, in which somebody else may have changed it."""
        if self._journal.outside is None:
            return
        found = await lever.read(environment)
        if found != pull.prior:
            raise InjectionFailed(
                f"{lever_name(pull.lever)} was {setting(pull.prior)} a moment ago and now reads"
                f" {setting(found)}: somebody else changes it, so it is left alone"
            )

    async def _read_again(self, lever: Lever, environment: Environment, value: Value) -> Value:
        """What it reads; where a read may be stale: `value`, as soon as it is that."""
        loop = asyncio.get_running_loop()
        until = loop.time() + environment.stale_s * speed_of(loop)
        while (found := await lever.read(environment)) != value:
            if self._over or loop.time() >= until:
                break
            await asyncio.sleep(LOOK_EVERY_S * speed_of(loop))
        return found

    async def _write_ahead(
        self, fault: int, account: str | None, lever: Lever, prior: Value, value: Value
    ) -> Pulled:
        """Only what the disk knows, and the copy outside, can be put back after a crash."""
        self._not_over()
        pull = Pulled(
            pull=len(self.pulls),
            fault=fault,
            account=account,
            lever=to_json(lever),
            prior=prior,
            value=value,
            irreversible=lever.irreversible,
        )
        fields = {name: getattr(pull, name) for name in RECORDED}
        event = self._journal.write("pull", **fields)
        self.pulls.append(pull)
        await self._journal.sync()
        await must_be_outside(self._journal, event)
        return pull

    def _not_over(self) -> None:
        if self._over:
            raise InjectionFailed("the run is being stopped; nothing more is pulled")

    @contextlib.contextmanager
    def _claimed(self, lever: Lever, account: str | None) -> Iterator[None]:
        """While it is entered, nobody else begins to pull that lever."""
        name = to_json(lever)
        self._refuse(lever, name, account)
        self._claims.append((name, account))
        try:
            yield
        finally:
            self._claims.remove((name, account))

    def _refuse(self, lever: Lever, name: dict[str, Any], account: str | None) -> None:
        if lever.irreversible and lever.kind not in self._allowed:
            raise InjectionFailed(
                f"{lever_name(name)} cannot be put back; to allow it anyway, write"
                f" allow_irreversible: [{lever.kind}] in the experiment"
            )
        held = [(pull.lever, pull.account) for pull in self.pulls if pull.outcome not in BACK]
        if (name, account) in (*held, *self._claims):
            raise InjectionFailed(
                f"{lever_name(name)} is already pulled by another fault of this run"
            )


async def to_its_end(work: Awaitable[T]) -> T:
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
