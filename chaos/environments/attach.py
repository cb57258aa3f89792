"""Finding the environment of a journal again, from whatever process this is."""

from __future__ import annotations

from typing import Any, Self

from chaos.environments import embedded, on_aws, on_localstack
from chaos.environments.environment import Environment
from chaos.errors import EnvironmentGone, JournalFailed
from probes.net import Net
from probes.probe import Probe


async def attach(described: dict[str, Any], *, profile: str | None = None) -> Environment:
    """The environment that a journal names, found again by another process.

    `profile` is the one of the AWS config to use for its accounts instead of any that it names.

    One that has ended is an environment too: every call to it raises EnvironmentGone.
    """
    try:
        if described["kind"] == on_localstack.OnLocalStack.kind:
            return await on_localstack.attach(described)
        if described["kind"] == on_aws.OnAws.kind:
            return await on_aws.attach(described, profile)
        return await embedded.attach(described)
    except EnvironmentGone as gone:
        return Gone(described["kind"], gone)
    except (AttributeError, KeyError, TypeError) as error:
        raise JournalFailed(
            f"the journal does not say where its environment is: {error}"
        ) from error


class Gone:
    """An environment that has ended, and every lever with it."""

    def __init__(self, kind: str, why: EnvironmentGone) -> None:
        self.kind = kind
        self._why = why

    async def call(self, *_: object, **__: object) -> dict[str, Any]:
        """There is nothing left to call."""
        raise self._why

    def net(self, _probe: Probe) -> Net:
        """There is nothing left to probe."""
        raise self._why

    async def pulse(self) -> None:
        """There is nothing left to answer."""
        raise self._why

    async def ended(self) -> str:
        """It has."""
        return str(self._why)

    def at(self, _account: str | None) -> Self:
        """It has ended everywhere."""
        return self

    @property
    def stale_s(self) -> float:
        """There is nothing left to read."""
        return 0.0

    def describe(self) -> dict[str, Any]:
        """What kind of environment it was."""
        return {"kind": self.kind}

    def close(self) -> None:
        """There is nothing left to close."""
