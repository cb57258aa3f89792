"""What levers create in an account: it carries the run's id, so that it is found without a journal.

Such a lever has the field `run`. A fault leaves it empty, and whoever pulls fills it in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar, runtime_checkable

from chaos.errors import InjectionFailed, InvalidInput

TAG = "chaos:run"
FOR = "chaos:for"  # beside it: the resource that it was created for, so that a lever finds its own


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


def named(run: str) -> str:
    """The run, which whoever creates something must know; raises InjectionFailed."""
    if not run:
        raise InjectionFailed("nothing is created in an account without the id of a run to mark it")
    return run


def tags(run: str, of: str = "") -> list[dict[str, str]]:
    """The mark, as most services of AWS want tags; `of`: the resource that it is created for."""
    return [{"Key": TAG, "Value": named(run)}, *([{"Key": FOR, "Value": of}] if of else [])]


def filters(run: str, of: str = "") -> list[dict[str, object]]:
    """What finds the marked, as EC2 wants filters; `of`: only what was created for it."""
    found: list[dict[str, object]] = [{"Name": f"tag:{TAG}", "Values": [run]}]
    if of:
        found.append({"Name": f"tag:{FOR}", "Values": [of]})
    return found


def tag_map(of_aws: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """The tags of a resource, from the list that most services tell them in."""
    return {tag["Key"]: tag.get("Value", "") for tag in of_aws or ()}


def refuse_others(what: str, marked: str | None, run: str) -> None:
    """Raises InvalidInput when `what` carries the mark of another run than this one."""
    if marked and marked != run:
        raise InvalidInput(
            f"{what} is still held by the run {marked}; put that back first:"
            f" chaos rollback {marked}"
        )
