"""The app `worker` of the lab `queue`: passes on, from one queue to another, what comes.

It is the workload, not the tool: whether it loses a message is what drills find out.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from chaos.lab import app_server
from chaos.lab.polling import Poller, Queue

if TYPE_CHECKING:
    from chaos.lab.instances import Instance


class Server(app_server.Server):
    """GET /lag, GET /health."""

    def __init__(self, instance: Instance) -> None:
        self.poller = Poller(instance, Queue(instance, instance.service.passes_to or "").send)
        super().__init__(instance, Handler)
        self.poller.start()


class Handler(app_server.Handler):
    """Answers one connection."""

    server: Server

    def get(self, url: SplitResult) -> None:
        """Answer GET /lag."""
        if url.path != "/lag":
            super().get(url)
            return
        lag = self.server.poller.lag
        late = lag > self.server.instance.service.behind
        status = HTTPStatus.SERVICE_UNAVAILABLE if late else HTTPStatus.OK
        self.answer(status, {"lag": round(lag, 3)})
