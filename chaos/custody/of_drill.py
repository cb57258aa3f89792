"""What a drill needs of custody: on aws an undo log, unless it is said that there shall be none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chaos.custody.location import EXAMPLES, locate
from chaos.custody.taking import Taken, against, take
from chaos.environments.environment import Environment
from chaos.environments.on_aws import OnAws, found_in
from chaos.errors import InvalidInput
from chaos.safety.policy import Policy

NONE = "none"


@dataclass(frozen=True, slots=True)
class Custody:
    """What was asked for: the URL of the undo log, and the run whose lock is to be broken."""

    undo_log: str | None = None
    break_lock: str | None = None

    def demand(self, kind: str, policy: Policy) -> None:
        """Raise InvalidInput when a drill in that kind of environment has no undo log."""
        if kind == OnAws.kind and (url := where(self.undo_log, policy.undo_log)) != NONE:
            locate(url)

    async def against(self, environment: Environment, policy: Policy) -> list[str]:
        """What a drill would be refused for, as far as looking tells; changes nothing.

        Nothing where no undo log is named: only a run must have one. Raises InvalidInput for what
        names none.
        """
        place, named = found_in(environment), self.undo_log or policy.undo_log
        if place is None or not named or (url := where(self.undo_log, policy.undo_log)) == NONE:
            return []
        accounts = [identity["account"] for identity in place.identities.values()]
        return await against(url, place.base.call, accounts)

    @asynccontextmanager
    async def of(
        self,
        environment: Environment,
        *,
        run: str,
        policy: Policy,
        lost: Callable[[str], None],
    ) -> AsyncIterator[Taken | None]:
        """Have the accounts of `environment` for that run; None in a lab, or where `none` is said.

        `policy` is what an organisation lays down. Raises InvalidInput.
        """
        place = found_in(environment)
        if place is None:
            yield None
            return
        url = where(self.undo_log, policy.undo_log)
        if url == NONE:
            yield None
            return
        identities = place.identities.values()
        async with take(
            url,
            place.base.call,
            run=run,
            accounts=[identity["account"] for identity in identities],
            who=", ".join(sorted({identity["arn"] for identity in identities})),
            lost=lost,
            breaking=self.break_lock,
        ) as taken:
            yield taken


def where(asked: str | None, policy: str | None) -> str:
    """The undo log of a drill on aws; raises InvalidInput without one.

    A lock holds among those who share the undo log, so a policy's cannot be left.
    """
    if policy and asked and asked != policy:
        raise InvalidInput(
            f"the policy keeps the undo log and the locks in {policy}, so --undo-log {asked}"
            " cannot be used"
        )
    if not (url := asked or policy):
        raise InvalidInput(
            "on aws a run needs an undo log, which outlives this machine; give"
            f" --undo-log: {EXAMPLES}; or --undo-log none, if it is fine that only this machine can"
            " put things back"
        )
    return url
