"""What an environment is: the only door through which the tool acts.

`call` is the tool's own: it never passes through the faults. What the probes send goes through
the `net`, which is the door of the workload, faults and all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from probes.net import Net  # with its resolver it costs more to import than all levers do
    from probes.probe import Probe


class Environment(Protocol):
    """A place where experiments happen: `embedded`, `localstack`, `aws`."""

    @property
    def kind(self) -> str:
        """The name under which faults declare how real they are here."""

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One API operation, named as boto3 names its methods; `lab` is a service too.

        Raises CallFailed, or Unsupported where the environment does not offer the operation.
        """

    def net(self, probe: Probe, /) -> Net:
        """The workload's view of the network for one probe, with a name cache of its own."""

    async def pulse(self) -> None:
        """Return when all parts of a lab have answered, at once where there is no lab.

        What they take to answer this is their own time: no fault reaches it. Raises ChaosError when
        one does not answer.
        """

    async def ended(self) -> str:
        """Return when the environment has ended by itself, with the reason; never otherwise."""

    def at(self, account: str | None, /) -> Environment:
        """The same place in the account of that name in the experiment; None: the only one.

        Where there are no accounts, as in a lab, it is the place itself.
        """

    @property
    def stale_s(self) -> float:
        """Seconds of the wall for which a read may still tell what was before a change."""

    def describe(self) -> dict[str, Any]:
        """What another process needs to find this environment again, as JSON."""

    def close(self) -> None:
        """Give back what the environment holds in this process."""
