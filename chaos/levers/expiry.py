"""Until when a Deny holds that AWS itself lets go of: the one place that asks for the date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MARGIN_S = 60.0  # what pulling the other levers of a fault may take, and putting this one back
FORMAT = "%Y-%m-%dT%H:%M:%SZ"

now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731  # tests set another


def until(lasts_s: float) -> str:
    """When a fault that begins now and lasts so many seconds is over for certain, in UTC."""
    return (now() + timedelta(seconds=lasts_s + MARGIN_S)).strftime(FORMAT)


def parsed(text: str) -> datetime:
    """The moment that `until` has written."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=UTC)
