"""One account of an experiment: who we are in it is known before anything else is asked."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from chaos.environments import regions
from chaos.environments.calls import AwsCalls, named
from chaos.environments.refusals import ENDED, REASONS, why
from chaos.errors import CallFailed, EnvironmentFailed, InvalidInput
from probes.names import Names
from probes.net import Net

if TYPE_CHECKING:
    from chaos.environments.calls import Session
    from chaos.environments.environment import Environment
    from probes.probe import Probe

ATTEMPTS, TIMEOUT_S = 5, 20.0  # of the tool's own calls
THREADS = 16  # calls at the same time; those of a rollback are at most 8


class InAccount:
    """The environment in one account. The first call finds out whose account it really is."""

    def __init__(
        self,
        name: str,
        account: Mapping[str, Any],
        whole: Environment,
        endpoint: str | None,
        reach: Callable[[str], Awaitable[Session]],
    ) -> None:
        """`whole` is the environment with all accounts; `reach` signs in to that of a name."""
        self.name = name
        self.identity: dict[str, str] = {}
        self._account = account
        self.whole = whole
        self._endpoint = endpoint
        self._reach = reach
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._operator = self._calls(ATTEMPTS, TIMEOUT_S, THREADS)
        self._doors: list[AwsCalls] = []

    @property
    def kind(self) -> str:
        """That of the whole."""
        return self.whole.kind

    async def open(self) -> None:
        """Sign in, and compare the account with the one that is meant; once is enough.

        Raises EnvironmentFailed or InvalidInput, with one sentence; CallFailed for what may pass.
        """
        async with self._opening:
            if not self.identity:
                self._session = await self._reach(self.name)
                self.identity = self._checked(await self._who())

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation in a region of the account; raises InvalidInput for another region."""
        return await self._call(self._operator, service, region, operation, params)

    def net(self, probe: Probe, /) -> Net:
        """The network as this machine sees it; calls of the AWS API are sent once."""
        threads = min(64, math.ceil(probe.timeout / probe.every) + 2)
        door = self._calls(1, probe.timeout, threads)
        self._doors.append(door)

        async def aws(
            service: str, region: str, operation: str, /, **params: Any
        ) -> dict[str, Any]:
            try:
                return await self._call(door, service, region, operation, params)
            except CallFailed as error:
                # Credentials that cannot be had now say nothing of the system either.
                if error.call != named(service, operation, region):
                    raise EnvironmentFailed(str(error)) from error
                raise

        return Net(names=Names(cache=probe.dns_cache, family=probe.family), aws=aws)

    async def pulse(self) -> None:
        """That of the whole."""
        await self.whole.pulse()

    async def ended(self) -> str:
        """When the whole has ended."""
        return await self.whole.ended()

    def at(self, account: str | None, /) -> Environment:
        """Another account, of the same environment."""
        return self if account is None else self.whole.at(account)

    @property
    def stale_s(self) -> float:
        """That of the whole."""
        return self.whole.stale_s

    def describe(self) -> dict[str, Any]:
        """That of the whole."""
        return self.whole.describe()

    def close(self) -> None:
        """Give the threads back."""
        for door in (self._operator, *self._doors):
            door.close()

    def _calls(self, attempts: int, timeout_s: float, threads: int) -> AwsCalls:
        return AwsCalls(
            self._endpoint,
            session=self._signed_in,
            attempts=attempts,
            timeout_s=timeout_s,
            threads=threads,
            regions=self._account["regions"],
        )

    def _signed_in(self) -> Session:
        if self._session is None:
            raise RuntimeError("nothing is called before it is known whose account it is")
        return self._session

    async def _call(
        self, calls: AwsCalls, service: str, region: str, operation: str, params: dict[str, Any]
    ) -> dict[str, Any]:
        listed = self._account["regions"]
        if not regions.may_call(service, region, operation, listed):
            raise InvalidInput(regions.refusal(self.name, region, listed))
        if not self.identity:
            await self.open()
        try:
            return await calls.call(service, region, operation, **params)
        except CallFailed as error:
            # Not what a lever retries, nor what a probe takes for an answer of the system.
            if error.code in ENDED:
                raise EnvironmentFailed(self._told(error)) from error
            raise

    async def _who(self) -> dict[str, Any]:
        region = self._account["regions"][0]
        try:
            return await self._operator.call("sts", region, "get_caller_identity")
        except CallFailed as error:
            if error.code in REASONS:
                raise EnvironmentFailed(self._told(error)) from error
            raise  # throttled or unreachable: whoever calls may try again

    def _told(self, error: CallFailed) -> str:
        return f"account {self.name}: {why(error.code, error.said, self._account['profile'])}"

    def _checked(self, who: dict[str, Any]) -> dict[str, str]:
        found, arn = who.get("Account"), who.get("Arn", "")
        if not found:
            raise EnvironmentFailed(
                f"account {self.name}: STS does not tell whose account these credentials are of, so"
                " nothing is done in it"
            )
        if found != self._account["id"]:
            raise InvalidInput(
                f"account {self.name}: the credentials are of account {found} ({arn}), and the"
                f" experiment names {self._account['id']}; nothing was touched there"
            )
        return {"account": str(found), "arn": str(arn)}
