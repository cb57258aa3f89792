"""What people break, and put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.attended import OPERATOR
from chaos.environments.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """Whether a task is in a person's hands: `handed out` or `untouched`.

    Put back by asking the person to undo it, and waiting until they have marked that it is.
    """

    kind: ClassVar[str] = "by_hand"
    irreversible: ClassVar[bool] = False
    # The fault says how long the person has, and the asking ends with that.
    budget_s: ClassVar[float] = 48 * 3600.0

    task: str

    async def read(self, environment: Environment) -> Any:
        return (await environment.call(OPERATOR, "", "get_task", task=self.task))["state"]

    async def set(self, environment: Environment, value: Any) -> None:
        await environment.call(OPERATOR, "", "put_task", task=self.task, state=value)
