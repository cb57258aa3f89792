"""Rules that are lifted unless whoever has put them says in time that they are still wanted.

A runner that dies can lift nothing any more, so what it has put must end by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from chaos.proxies.rulebook import Rulebook
from probes.durations import parse, show

SHORTEST_S, LONGEST_S = 1.0, 24 * 3600.0

log = logging.getLogger("chaos.proxies")


class Lease:
    """The lease of the rules of one proxy, in seconds of the loop; there is one at most."""

    def __init__(self, rules: Rulebook[Any]) -> None:
        self.ended = 0  # how often it was not renewed in time
        self._rules = rules
        self._seconds: float | None = None
        self._of: dict[str, Any] = {}  # the rules that it is for, by id
        self._timer: asyncio.TimerHandle | None = None

    def give_up(self) -> None:
        """The rules stay, whoever lives."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._seconds, self._of = None, None, {}

    def take(self, text: str, ids: Iterable[str]) -> None:
        """These rules are for so long, and longer when it is renewed. Raises ValueError."""
        seconds = seconds_of(text)
        self.give_up()
        self._seconds, self._of = seconds, {name: self._rules.get(name) for name in ids}
        self.renew()

    def renew(self) -> None:
        """Its time begins anew; raises ValueError when it has ended, or there was none."""
        if self._seconds is None:
            raise ValueError(
                "lease: there is none, or it has ended and its rules were lifted;"
                " put them anew: PUT /_chaos/rules?lease=30s"
            )
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def describe(self) -> dict[str, Any]:
        """How long it is and how much of it is left, in seconds; None when there is none."""
        left = None
        if self._timer is not None:
            left = round(self._timer.when() - asyncio.get_running_loop().time(), 3)
        return {"seconds": self._seconds, "left": left, "ended": self.ended}

    def _end(self) -> None:
        seconds, mine = self._seconds or 0.0, self._of
        self.give_up()
        self.ended += 1
        gone = [name for name, rule in mine.items() if rule and self._rules.get(name) == rule]
        for name in gone:
            self._rules.put(name, None)
        log.warning(
            "the lease of %s was not renewed: rules lifted: %s", show(seconds), ", ".join(gone)
        )


def seconds_of(text: str) -> float:
    """The length of a lease as it is written, such as `30s`; raises ValueError."""
    try:
        seconds = parse(text)
    except ValueError as error:
        raise ValueError(f"lease: {error}") from error
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise ValueError("lease: must be from 1s to 24h")
    return seconds
