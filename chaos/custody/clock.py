"""The time of the wall, which leases need: two machines share no other.

AWS tells its own time with every answer, so all who use one store go by one clock. Where an answer
tells none, it is this machine's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

# What the clocks of two machines may differ by, and what the store's, in whole seconds, hides.
SKEW_S = 10.0


def utc_now() -> datetime:
    """This machine's time."""
    return datetime.now(UTC)


class Clock:
    """The store's time: what its last answer said, and what has passed since."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def saw(self, answer: Mapping[str, Any]) -> None:
        """Set it by the `Date` of an answer."""
        told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if told is None:
            return
        try:
            self._ahead = parsedate_to_datetime(told) - utc_now()
        except (ValueError, TypeError):  # no date, or one without its zone: as if it told none
            return

    def now(self) -> datetime:
        """The store's time (UTC)."""
        return utc_now() + self._ahead


class Elapsed:
    """Seconds since it was made, or restarted: the most that any clock of this machine says.

    The loop's clock stands still while a machine sleeps, and the wall's may be set back.
    """

    def __init__(self) -> None:
        self.restart(*self.mark())

    @staticmethod
    def mark() -> tuple[float, datetime]:
        """This moment, for `restart`."""
        return asyncio.get_running_loop().time(), utc_now()

    def restart(self, loop: float, wall: datetime) -> None:
        """Count from that moment on."""
        self._loop, self._wall = loop, wall

    def __call__(self) -> float:
        loop, wall = self.mark()
        return max(loop - self._loop, (wall - self._wall).total_seconds())
