"""The programs that an instance of the lab can run, by the name that a service declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chaos.lab import app_server, encoder, home, playback, recommendations, worker

if TYPE_CHECKING:
    from chaos.lab.instances import Instance

SERVERS: dict[str, Callable[[Instance], app_server.Server]] = {
    "encoder": encoder.Server,
    "home": home.Server,
    "playback": playback.Server,
    "recommendations": recommendations.Server,
    "worker": worker.Server,
}
