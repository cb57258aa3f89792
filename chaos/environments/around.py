"""What stands around an environment and changes one thing of it: all else is the environment's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaos.environments.environment import Environment

if TYPE_CHECKING:
    from probes.net import Net  # with its resolver it costs more to import than all levers do
    from probes.probe import Probe


class Around:
    """The environment itself, but for `call` and `at`, which whoever stands around it has."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def kind(self) -> str:
        """That of the environment."""
        return self._environment.kind

    def net(self, probe: Probe, /) -> Net:
        """That of the environment: what probes send is none of the tool's calls."""
        return self._environment.net(probe)

    async def pulse(self) -> None:
        """That of the environment."""
        await self._environment.pulse()

    async def ended(self) -> str:
        """When the environment has ended."""
        return await self._environment.ended()

    @property
    def stale_s(self) -> float:
        """That of the environment."""
        return self._environment.stale_s

    def describe(self) -> dict[str, Any]:
        """That of the environment."""
        return self._environment.describe()

    def close(self) -> None:
        """Close the environment."""
        self._environment.close()
