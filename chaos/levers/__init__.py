"""Levers: pieces of an environment's state that can be read and set. One file a family."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chaos.errors import JournalFailed
from chaos.levers.by_hand import ByHand
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.lab import ApiRule, Reachability, Replication
from chaos.levers.lever import Counts, Lever, Patient, Value

__all__ = ["KINDS", "Counts", "Lever", "Patient", "Value", "from_json", "to_json"]

KINDS: dict[str, type[Any]] = {
    lever.kind: lever for lever in (ApiRule, ByHand, InstanceTermination, Reachability, Replication)
}


def to_json(lever: Lever) -> dict[str, Any]:
    """The lever as a journal holds it."""
    return {"kind": lever.kind, **asdict(lever)}  # type: ignore[call-overload]  # a dataclass


def from_json(data: dict[str, Any]) -> Lever:
    """The lever that a journal names; raises JournalFailed when this chaos does not know it."""
    fields = {name: value for name, value in data.items() if name != "kind"}
    try:
        lever: Lever = KINDS[data["kind"]](**fields)
    except (KeyError, TypeError) as error:
        raise JournalFailed(f"the journal names a lever that is not known here: {data}") from error
    return lever
