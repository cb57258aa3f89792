"""What levers create in an account: it carries the run's id, so that it is found without a journal.

Such a lever has the field `run`. A fault leaves it empty, and whoever pulls fills it in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, TypeVar, runtime_checkable

TAG = "chaos:run"


@runtime_checkable
class Creates(Protocol):
    """A lever that creates resources on its way."""

    @property
    def run(self) -> str:
        """The id of the run that they are marked with."""


L = TypeVar("L")


def bound(lever: L, run: str) -> L:
    """The lever for that run, if it is one that creates."""
    if isinstance(lever, Creates) and not lever.run:
        return replace(lever, run=run)  # type: ignore[type-var]  # levers are dataclasses
    return lever


def tags(run: str) -> list[dict[str, str]]:
    """The mark, as most services of AWS want tags."""
    return [{"Key": TAG, "Value": run}]


def filters(run: str) -> list[dict[str, object]]:
    """What finds the marked, as EC2 wants filters."""
    return [{"Name": f"tag:{TAG}", "Values": [run]}]
