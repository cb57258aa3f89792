"""Levers that put a resource of ours in the place of another, and the other back."""

from __future__ import annotations

from chaos.levers.lever import Value

GONE = "not there: somebody has deleted it"


def reading(state: Value, left: list[str]) -> Value:
    """What such a lever reads; `left` are resources of ours that are not in use, by their ids."""
    return {"on": state, "left": sorted(left)} if left else state


def halfway(found: Value, prior: Value, value: Value) -> bool:
    """Whether only our own steps leave it so: created and not in use yet, or no longer.

    What was made for a resource that somebody has deleted since is to be taken away too.
    """
    return left(found) and found["on"] in (prior, value, GONE)


def left(found: Value) -> bool:
    """Whether resources of ours are there that are not in use."""
    return isinstance(found, dict) and "left" in found
