"""What a rollback would find and do: only told; neither environment nor journal is changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaos.environments.environment import Environment
from chaos.errors import ChaosError, EnvironmentGone
from chaos.history import Pull, load
from chaos.levers import Value, from_json
from chaos.rollback import SIDE_BY_SIDE, reach
from chaos.rollback.restoring import BUDGET_S, WINDOWS, Restoring, Step

Would = Literal["gone", "unknown"] | Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An open lever: what it reads, and what a rollback would do with it.

    `would` is "restore", "already" (as before; set once more where that is not certain), "keep",
    "conflict" (somebody else's, left alone), "gone" (with the environment) or "unknown" (`error`).
    """

    pull: Pull
    would: Would
    found: Value = None
    error: str = ""


async def check(path: Path, *, profile: str | None = None) -> list[Checked]:
    """The levers that the run with this journal has left open, in the order of a rollback.

    `profile` reaches an account instead of the one that the run had.
    Raises JournalFailed when the journal cannot be read, and what keeps the environment from being
    reached.
    """
    history = load(path, salvage=True)
    if not history.open_pulls:
        return []
    environment = await reach(path, history, lambda _: None, profile)
    seats = asyncio.Semaphore(SIDE_BY_SIDE)
    try:
        return await asyncio.gather(*(_look(p, environment, seats) for p in history.open_pulls))
    finally:
        environment.close()


async def _look(pull: Pull, place: Environment, seats: asyncio.Semaphore) -> Checked:
    async with seats:
        try:
            environment = place.at(pull.account)
            lever = Restoring(pull, from_json(pull.lever), environment, lambda: 0.0, 1.0)
            async with asyncio.timeout(BUDGET_S + WINDOWS * environment.stale_s):
                found, would = await lever.look()
            return Checked(pull=pull, would=would, found=found)
        except EnvironmentGone:
            return Checked(pull=pull, would="gone")
        except TimeoutError:
            return Checked(pull=pull, would="unknown", error="no answer from the environment")
        except ChaosError as error:
            return Checked(pull=pull, would="unknown", error=str(error))
