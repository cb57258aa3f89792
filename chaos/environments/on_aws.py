"""Real AWS accounts, or whatever answers for them at an endpoint that was given.

    at(name) ──► one account: its session, its regions, the id that STS has confirmed

No account is touched that the experiment does not name by its id.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from chaos.environments import endpoint as endpoints
from chaos.environments.attended import Attended
from chaos.environments.calls import AwsCalls
from chaos.environments.environment import Environment
from chaos.environments.in_account import ATTEMPTS, THREADS, TIMEOUT_S, InAccount
from chaos.environments.signing_in import SigningIn
from chaos.errors import CallFailed, ChaosError, EnvironmentFailed, InvalidInput
from probes.names import Names
from probes.net import Net
from probes.probe import Probe

NO_ACCOUNTS = (
    "the experiment names no account, and nothing is done in one that is not named: add"
    ' accounts: {main: {id: "123456789012", regions: [us-east-1]}} with the id and the regions'
    " that are meant"
)


class OnAws:
    """The accounts of an experiment, by its names for them, each as its `Account` is in JSON."""

    kind = "aws"

    def __init__(
        self,
        endpoint: str | None,
        accounts: Mapping[str, Mapping[str, Any]],
        *,
        profile: str | None = None,
        only_profile: str | None = None,
        run: str = "",
        stale_s: float | None = None,
    ) -> None:
        """`profile` is for what names none, `only_profile` instead of any that is named.

        Contacts nobody. Raises InvalidInput or EnvironmentFailed for what cannot be used.
        """
        self._endpoint = endpoints.checked(endpoint)
        self._stale_s = endpoints.stale_s(self._endpoint) if stale_s is None else stale_s
        self._profile = only_profile or profile
        self._accounts = accounts
        signing_in = SigningIn(
            self._endpoint, accounts, profile=profile, only_profile=only_profile, run=run
        )
        self._in = {
            name: InAccount(name, account, self, self._endpoint, signing_in.to)
            for name, account in accounts.items()
        }
        self.base = AwsCalls(
            self._endpoint,
            session=signing_in.base,
            attempts=ATTEMPTS,
            timeout_s=TIMEOUT_S,
            threads=THREADS,
        )

    @property
    def identities(self) -> dict[str, dict[str, str]]:
        """By name of the account: its id and our ARN in it, as STS tells them; of those opened."""
        return {name: one.identity for name, one in self._in.items() if one.identity}

    async def caller(self) -> dict[str, Any]:
        """Who we are with the base credentials: `Account` and `Arn`; raises ChaosError."""
        region = next(iter(self._accounts.values()))["regions"][0]
        return await self.base.call("sts", region, "get_caller_identity")

    async def open(self) -> None:
        """Sign in to all accounts; raises InvalidInput with all that keeps us out of any."""
        opened = await asyncio.gather(*(self._opened(one) for one in self._in.values()))
        if refusals := list(dict.fromkeys(filter(None, opened))):
            raise InvalidInput(*refusals)

    async def open_any(self) -> None:
        """Sign in to all; raises EnvironmentFailed when none of them will let us in.

        Calls in the others say why they cannot be made, and what may pass is tried again there.
        """
        each = (self._opened(one, lasting=True) for one in self._in.values())
        refusals = await asyncio.gather(*each)
        if all(refusals):
            raise EnvironmentFailed("\n".join(dict.fromkeys(refusals)))

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation in the only account; raises InvalidInput when there is not just one."""
        return await self._only().call(service, region, operation, **params)

    def net(self, probe: Probe, /) -> Net:
        """The network as this machine sees it, with the API of the only account, if it is one."""
        if len(self._in) == 1:
            return self._only().net(probe)
        return Net(names=Names(cache=probe.dns_cache, family=probe.family))

    async def pulse(self) -> None:
        """No lab is in the way: how long AWS takes is what its users meet."""

    async def ended(self) -> str:
        """AWS does not."""
        return await asyncio.Future()

    def at(self, account: str | None, /) -> Environment:
        """The account of that name; raises InvalidInput when the experiment has none such."""
        if account is None:
            return self
        if account not in self._in:
            raise InvalidInput(f"there is no account {account!r}; there is {', '.join(self._in)}")
        return self._in[account]

    @property
    def stale_s(self) -> float:
        """AWS is eventually consistent."""
        return self._stale_s

    def describe(self) -> dict[str, Any]:
        """Where it is, and how to reach it again; nothing of it is secret."""
        return {
            "kind": self.kind,
            "endpoint": self._endpoint,
            "profile": self._profile,
            "accounts": {
                name: {
                    **account,
                    "external_id": bool(account.get("external_id")),
                    "arn": self._in[name].identity.get("arn"),
                }
                for name, account in self._accounts.items()
            },
        }

    def close(self) -> None:
        """Give the threads back."""
        self.base.close()
        for one in self._in.values():
            one.close()

    def _only(self) -> InAccount:
        if len(self._in) != 1:
            which = f"one of {', '.join(self._in)}" if self._in else NO_ACCOUNTS
            raise InvalidInput(f"no account is named for a call: {which}")
        return next(iter(self._in.values()))

    async def _opened(self, one: InAccount, *, lasting: bool = False) -> str:
        """Why it cannot be, `lasting` only what will not pass; empty when it is."""
        try:
            await one.open()
        except ChaosError as error:
            if lasting and isinstance(error, CallFailed):
                return ""
            said = str(error)
            return said if said.startswith("account ") else f"account {one.name}: {said}"
        return ""


def found_in(environment: Environment) -> OnAws | None:
    """The accounts behind an environment, whoever stands beside it; None for a lab."""
    if isinstance(environment, Attended):
        environment = environment.place
    if isinstance(environment, InAccount):
        environment = environment.whole
    return environment if isinstance(environment, OnAws) else None


@contextlib.asynccontextmanager
async def start(
    endpoint: str | None,
    accounts: Mapping[str, Mapping[str, Any]],
    *,
    profile: str | None,
    run: str,
) -> AsyncIterator[OnAws]:
    """Sign in to every account, and make sure that it is the one which is meant.

    Raises InvalidInput or EnvironmentFailed; nothing but STS has been called then.
    """
    if not accounts:
        raise InvalidInput(NO_ACCOUNTS)
    environment = OnAws(endpoint, accounts, profile=profile, run=run)
    try:
        await environment.open()
        yield environment
    finally:
        environment.close()


async def attach(described: dict[str, Any], profile: str | None = None) -> OnAws:
    """The accounts that a journal names, from whatever machine this is.

    `profile` is used instead of all that the journal names. Raises EnvironmentFailed when none of
    them can be reached.
    """
    environment = OnAws(
        described["endpoint"],
        described["accounts"],
        profile=described["profile"],
        only_profile=profile,
    )
    await environment.open_any()
    return environment
