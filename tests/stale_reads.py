"""An environment whose reads may tell what was, and whose calls fail, get lost or land late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import CallFailed
from chaos.testing import FakeEnvironment

STALE_S = 10.0
LATE_S = 4.0  # a little less than chaos.rollback.restoring.LATE_S

# What becomes of a call that changes something.
FATES = ("done", "done, but no answer", "refused", "late")
Fate = Callable[[], str]
Choice = Callable[[list[str]], str]  # of the answers that a read may give, the newest first


def newest(answers: list[str]) -> str:
    """What it is."""
    return answers[0]


def oldest(answers: list[str]) -> str:
    """What it was, as long ago as a read may tell."""
    return answers[-1]


def rather(state: str) -> Choice:
    """A read that tells this whenever it may."""
    return lambda answers: state if state in answers else answers[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Valve:
    """A lever of such an environment. Put back to what it was."""

    kind: ClassVar[str] = "valve"
    irreversible: ClassVar[bool] = False

    name: str = "v"

    async def read(self, environment: Environment) -> Any:
        return (await environment.call("valves", "", "get_valve", name=self.name))["state"]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call("valves", "", "put_valve", name=self.name, state=value)

    def halfway(self, found: Any, prior: Any, value: Any) -> bool:
        """What only our own steps leave."""
        return bool(found == f"between {prior} and {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door(Valve):
    """One that nothing opens again."""

    kind: ClassVar[str] = "door"
    irreversible: ClassVar[bool] = True


class Stale(FakeEnvironment):
    def __init__(self, state: str, choose: Choice = newest, fate: Fate = lambda: "done") -> None:
        super().__init__({})
        self.history = [(float("-inf"), state)]
        self.sets: list[tuple[float, str]] = []
        self.choose = choose
        self._fate = fate

    @property
    def stale_s(self) -> float:
        return STALE_S

    @property
    def now(self) -> str:
        """What it is, whatever a read tells."""
        return self.history[-1][1]

    def becomes(self, state: str) -> None:
        """The state, from now on."""
        self.history.append((asyncio.get_running_loop().time(), state))

    def became(self, state: str) -> float:
        """When it last became so, loop time."""
        return max(at for at, known in self.history if known == state)

    async def call(self, _: str, __: str, operation: str, /, **params: Any) -> dict[str, Any]:
        await asyncio.sleep(0.1)
        if operation == "get_valve":
            return {"state": self._read()}
        loop = asyncio.get_running_loop()
        self.sets.append((loop.time(), params["state"]))
        fate = self._fate()
        if fate.startswith("done"):
            self.becomes(params["state"])
        elif fate == "late":
            loop.call_later(LATE_S, self.becomes, params["state"])
        if fate != "done":
            raise CallFailed("valves put_valve", "Throttling", fate)
        return {}

    def _read(self) -> str:
        since = asyncio.get_running_loop().time() - STALE_S
        known = [state for at, state in self.history if at >= since]
        before = [state for at, state in self.history if at < since]
        return self.choose([*reversed(known), *before[-1:]])
