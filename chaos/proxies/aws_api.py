"""The AWS API proxy: the workload's door to the AWS API, where faults apply call by call.

Every request passes unchanged, byte for byte and with the Host it came with, unless a rule means
it; the answers pass back the same way. Nothing is kept of a body but of writes to DynamoDB.
"""

from __future__ import annotations

import asyncio

from chaos.proxies.connection import Connection
from chaos.proxies.door import Door
from chaos.proxies.exchange import Admin, Seen
from chaos.proxies.operations import prepare
from chaos.proxies.rules import Rules

BACKLOG = 1024


class ApiProxy:
    """A proxy in front of the AWS API at `upstream` (host and port, plain HTTP).

    `seen` is called when the head of a response has come from upstream, before the client gets
    it: with the request, its body (whole for writes to DynamoDB, otherwise empty) and the status.
    `admin` answers the requests that are for the proxy itself; without it they too pass. With
    `keeps_queues` the QueueUrls that LocalStack makes lead to the proxy, and not past it.
    """

    def __init__(
        self,
        upstream: tuple[str, int],
        rules: Rules | None = None,
        seen: Seen | None = None,
        *,
        admin: Admin | None = None,
        keeps_queues: bool = False,
    ) -> None:
        self.rules = Rules() if rules is None else rules
        self._door = Door(
            upstream=upstream, rules=self.rules, seen=seen, admin=admin, keeps_queues=keeps_queues
        )
        self._server: asyncio.Server | None = None

    @property
    def requests(self) -> int:
        """How many requests have come, whatever became of them."""
        return self._door.requests

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._door.connections)

    @property
    def buffered(self) -> int:
        """Bytes that are held on their way at this moment."""
        return sum(connection.buffered for connection in self._door.connections)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port; raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(prepare)  # else the first calls of all would wait for it
        self._server = await loop.create_server(
            lambda: Connection(self._door), host, port, backlog=BACKLOG
        )
        self.rules.on_change.append(self._door.rules_changed)
        self._door.rules_changed()
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self) -> None:
        """End everything at once, calls under way too."""
        if self._server is None:
            return
        server, self._server = self._server, None
        self.rules.on_change.remove(self._door.rules_changed)
        server.close()
        dialing = [c.dialing for c in self._door.connections if c.dialing]
        for connection in list(self._door.connections):
            connection.abort()
        while self._door.connections:  # noqa: ASYNC110  # they go in the loop's next round
            await asyncio.sleep(0)
        await asyncio.gather(*dialing, return_exceptions=True)
        await server.wait_closed()
