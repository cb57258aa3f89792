"""The load that a lab's clients offer: they come whether or not those before them were served.

A visitor asks once, and again as often as its kind retries, at once or after a pause. What it does
not get is nobody's business but its own: probes measure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from chaos.lab.declaration import Visitors
from probes.http import Http
from probes.names import Names
from probes.net import Net
from probes.probe import Attempt, ProbeFailed

# A first wave at one and the same moment would be nobody's traffic.
SPREAD = 0.618


class Crowd:
    """All visitors of a lab; `dns` and `port` say where its names and its port 80 really are."""

    def __init__(self, wanted: Mapping[str, Visitors], dns: int, port: int) -> None:
        self._wanted = wanted
        self._server = ("127.0.0.1", dns)
        self._ports = {80: port}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Come from now on."""
        for n, (name, wanted) in enumerate(self._wanted.items()):
            phase = wanted.every * ((n * SPREAD) % 1)
            self._tasks.append(asyncio.create_task(self._come(name, wanted, phase)))

    async def stop(self) -> None:
        """Come no more; who is under way is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _come(self, name: str, wanted: Visitors, phase: float) -> None:
        loop = asyncio.get_running_loop()
        # One cache for all of a kind, as those have who share a resolver.
        names = Names(self._server, cache=wanted.dns_cache)
        net, first, n = Net(names=names, ports=self._ports), loop.time() + phase, 0
        probe = Http(kind="http", url=wanted.url, timeout=wanted.timeout)
        async with asyncio.TaskGroup() as visits:
            while True:
                await asyncio.sleep(first + n * wanted.every - loop.time())
                attempt = Attempt(run="lab", probe=name, n=n)
                visits.create_task(_visit(probe, net, attempt, wanted))
                n += 1


async def _visit(probe: Http, net: Net, attempt: Attempt, wanted: Visitors) -> None:
    for _ in range(1 + wanted.retries):
        try:
            async with asyncio.timeout(wanted.timeout):
                await probe.check(net, attempt)
        except (OSError, ProbeFailed):  # TimeoutError is an OSError
            await asyncio.sleep(wanted.pause)
        else:
            return
