"""Signing in to the accounts of an experiment, and what a person has to answer for it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from chaos.environments.terminal import ask
from chaos.errors import InvalidInput

if TYPE_CHECKING:
    from chaos.environments.calls import Session

EXTERNAL_ID = "CHAOS_EXTERNAL_ID_"  # and the name of the account: PROD, EU_WEST
CODE = r"[0-9]{6}"


class SigningIn:
    """Sessions of botocore for these accounts, each of which is as `Account` is in JSON.

    `profile` is for what names none, `only_profile` instead of any that is named.
    """

    def __init__(
        self,
        endpoint: str | None,
        accounts: Mapping[str, Mapping[str, Any]],
        *,
        profile: str | None,
        only_profile: str | None,
        run: str,
    ) -> None:
        """Contacts nobody; raises EnvironmentFailed or InvalidInput for an unusable profile."""
        self._endpoint = endpoint
        self._accounts = accounts
        self._profile = only_profile or profile
        self._only_profile = only_profile
        self._run = run
        self._sessions: dict[str | None, Session] = {}
        self._passed: dict[tuple[str | None, str], Session] = {}  # with an MFA code
        self._asking = asyncio.Lock()  # a person answers one question at a time
        self.base()

    def base(self) -> Session:
        """That of the credentials which no account has to itself."""
        return self._of_profile(self._profile)

    async def to(self, name: str) -> Session:
        """That of the account: the base's, or its profile's, past MFA and with its role.

        Raises EnvironmentFailed or InvalidInput.
        """
        from chaos.environments import credentials

        account = self._accounts[name]
        profile = self._only_profile or account["profile"] or self._profile
        session = self._of_profile(profile)
        await asyncio.to_thread(credentials.learn, session)
        if account["mfa"]:
            session = await self._past_mfa(name, profile, session)
        if account["role"]:
            account = {**account, "external_id": await self._external_id(name)}
            await asyncio.to_thread(credentials.refuse_long_chain, session, name, account)
            work = partial(credentials.with_role, session, self._endpoint, account, self._named())
            session = await asyncio.to_thread(work)
        return session

    def _of_profile(self, profile: str | None) -> Session:
        from chaos.environments import credentials

        if profile not in self._sessions:
            region = next((a["regions"][0] for a in self._accounts.values()), None)
            self._sessions[profile] = credentials.base(self._endpoint, profile, region)
        return self._sessions[profile]

    async def _past_mfa(self, name: str, profile: str | None, session: Session) -> Session:
        """One code for all accounts that the same device opens: a code counts once."""
        from chaos.environments import credentials

        account = self._accounts[name]
        async with self._asking:
            key = profile, account["mfa"]
            if key not in self._passed:
                question = f"MFA code of {account['mfa']}"
                code = await ask(question, f"account {name}: it takes the {question}")
                if not re.fullmatch(CODE, code):
                    raise InvalidInput(f"account {name}: an MFA code has six digits")
                work = partial(credentials.with_code, session, self._endpoint, account, code)
                self._passed[key] = await asyncio.to_thread(work)
            return self._passed[key]

    async def _external_id(self, name: str) -> str | None:
        """The one in the experiment; a journal has none, it says that there is one."""
        known = self._accounts[name].get("external_id")
        if known is not True:
            return known or None
        variable = EXTERNAL_ID + name.upper().replace("-", "_")
        if variable in os.environ:
            return os.environ[variable]
        async with self._asking:
            question = f"external id of the role of account {name}"
            return await ask(question, f"account {name}: set {variable} to the {question}")

    def _named(self) -> str:
        """The name of our sessions, as CloudTrail shows it: at most 64 of these letters."""
        return re.sub(r"[^\w+=,.@-]", "-", f"chaos-{self._run or 'rollback'}", flags=re.ASCII)[:64]
