"""What guards say of resources."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.safety.facts import Spot

SHOWN = 3  # resources that a sentence names


def listed(found: Sequence[Spot]) -> str:
    """`ec2:subnet subnet-1 in us-east-1 is`, or the first few and how many more there are."""
    told = ", ".join(map(str, found[:SHOWN]))
    if len(found) == 1:
        return f"{told} is"
    more = len(found) - SHOWN
    return f"{told} and {more} more are" if more > 0 else f"{told} are"


def tag(key: str, value: str) -> str:
    """A tag for people; `*` is any value."""
    return f"{key} (any value)" if value == "*" else f"{key}={value}"
