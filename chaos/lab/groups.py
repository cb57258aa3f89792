"""The lab's stand-in for Auto Scaling, where the control plane has none.

A declared group whose instance is gone gets another one, after the time that Auto Scaling takes
to notice it. It heeds `suspended: [Launch]` of the declaration, and nothing else of the service.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from chaos.errors import ChaosError
from chaos.lab.declaration import Lab
from chaos.lab.inventory import Wanted
from chaos.lab.made import whole

Key = tuple[str, str, str]  # service, region, zone: a group of its own for each zone
# Runs so many instances for the group; raises a ChaosError.
Launch = Callable[[Key, int], Coroutine[Any, Any, None]]
# All instances of the lab, as EC2 has them.
Look = Callable[[], Awaitable[Iterable[Wanted]]]

GONE = ("shutting-down", "terminated")


class Groups:
    """The groups that a lab declares, kept at their number of instances."""

    def __init__(self, lab: Lab, look: Look, launch: Launch) -> None:
        self._lab = lab
        self._look = look
        self._launch = launch
        self._refilling: dict[Key, asyncio.Task[None]] = {}

    def follow(self, found: Iterable[Wanted]) -> None:
        """Take note of what there is: a group that lacks instances is refilled, later."""
        for key in self._short(found):
            if key not in self._refilling:
                self._refilling[key] = asyncio.create_task(self._refill(key))

    async def stop(self) -> None:
        """Launch nothing more; what is being launched is awaited."""
        tasks = [*self._refilling.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _refill(self, key: Key) -> None:
        await asyncio.sleep(self._lab.timing.detection)
        try:
            if lacking := self._short(await self._look()).get(key):
                await whole(self._launch(key, lacking))
        except ChaosError as error:
            print(f"the lab cannot refill the group of {' '.join(key)}: {error}", file=sys.stderr)
        finally:
            del self._refilling[key]

    def _short(self, found: Iterable[Wanted]) -> dict[Key, int]:
        """The groups that lack instances, and how many; a stopped one is not gone."""
        there = Counter((w.service or "", w.region, w.zone) for w in found if w.state not in GONE)
        return {
            (name, region, zone): lacking
            for name, service in self._lab.services.items()
            if service.auto_scaling is not None and not service.auto_scaling.suspended
            for region, zones in self._lab.regions.items()
            for zone in zones
            if (lacking := service.wanted(region, zone) - there[name, region, zone]) > 0
        }
