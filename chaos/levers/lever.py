"""What a lever is: one piece of the environment's state that can be read and set.

`set` is idempotent, returns only when the state is really so, finds its own way there and never
replays a saved id. "Absent" is a value, distinct from "empty".
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from chaos.environments.environment import Environment

Value = Any  # JSON: what a journal can hold


@runtime_checkable
class Lever(Protocol):
    """A frozen dataclass whose fields say which piece of state; `kind` is its name in a journal."""

    kind: ClassVar[str]
    irreversible: ClassVar[bool]

    async def read(self, environment: Environment) -> Value:
        """The state as it is now. Calls Describe, Get and List operations only."""

    async def set(self, environment: Environment, value: Value) -> None:
        """Bring the state to `value`; raises ChaosError when that cannot be done."""


@runtime_checkable
class Patient(Protocol):
    """The power of levers that may take longer to put back than others."""

    @property
    def budget_s(self) -> float:
        """Seconds of the wall after which it is given up."""


@runtime_checkable
class Counts(Protocol):
    """The power of levers that know how often they met traffic."""

    async def noticed(self, environment: Environment) -> int:
        """How many requests or connections have met the fault so far."""
