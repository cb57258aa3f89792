"""What the run must know of its probes while it goes on: is all well, and must it stop?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from probes.failover import region
from probes.probe import Sample, evidence


class Watch:
    """Follows the samples of all probes as they end."""

    def __init__(self, probes: Iterable[str]) -> None:
        self._good_since: dict[str, float | None] = dict.fromkeys(probes)
        self._errors: dict[str, str] = dict.fromkeys(self._good_since, "no attempt has ended")
        self._good_until: dict[str, float] = dict.fromkeys(self._good_since, 0.0)
        self._bad_since: dict[str, float | None] = dict.fromkeys(self._good_since)
        self._regions: dict[str, str | None] = dict.fromkeys(self._good_since)
        self._home: dict[str, str | None] = {}  # by probe, where only its answers are good
        self._news = asyncio.Event()

    def homes(self) -> dict[str, str | None]:
        """The region that the last good answer to each probe came from, if it said so."""
        return dict(self._regions)

    def expect(self, homes: Mapping[str, str | None]) -> None:
        """From now on an answer to one of these probes from another region than its own is bad."""
        for probe, home in homes.items():
            if home is not None and self._regions[probe] not in (None, home):
                self._good_since[probe] = None
        self._home = dict(homes)

    def saw(self, sample: Sample) -> None:
        """Take one sample, in the order in which they end; what others saw is as old as told."""
        sample = evidence(sample)
        came_from = region(sample)
        self._regions[sample.probe] = came_from or self._regions[sample.probe]
        if sample.ok and (home := self._home.get(sample.probe)) and came_from not in (None, home):
            sample = replace(sample, ok=False, error=f"answered from {came_from}, not from {home}")
        if sample.ok:
            self._bad_since[sample.probe] = None
            if self._good_since[sample.probe] is None:
                self._good_since[sample.probe] = sample.start
            self._good_until[sample.probe] = max(self._good_until[sample.probe], sample.start)
        else:
            self._errors[sample.probe] = sample.error
            self._good_since[sample.probe] = None
            if self._bad_since[sample.probe] is None:
                self._bad_since[sample.probe] = sample.start
        self._news.set()

    def good_for(self, began: float) -> float:
        """For how long every probe has been good, in seconds, counted from `began` at most.

        What is known ends with the start of the last good attempt: one that hangs tells nothing.
        """
        return min(
            0.0 if since is None else self._good_until[probe] - max(since, began)
            for probe, since in self._good_since.items()
        )

    def not_good(self) -> list[str]:
        """The probes whose last attempt was not good, or that have made none, and why."""
        return [f"{p} ({self._errors[p]})" for p, t in self._good_since.items() if t is None]

    def down_too_long(self, limits: Mapping[str, float], now: float) -> str | None:
        """The first probe that has been down for at least its limit."""
        for probe, limit in limits.items():
            since = self._bad_since[probe]
            if since is not None and now - since >= limit:
                return probe
        return None

    async def until(self, met: Callable[[], bool]) -> None:
        """Return when `met()` holds after a sample."""
        while not met():
            self._news.clear()
            await self._news.wait()
