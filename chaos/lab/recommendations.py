"""The app `recommendations` of the lab `homepage`: what could a profile watch next?

It is the workload, not the tool, and at the end of its chain: it needs nothing of anybody.
"""

from __future__ import annotations

import random
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs

from chaos.lab import app_server

if TYPE_CHECKING:
    from chaos.lab.instances import Instance

TITLES = ("Night Shift", "Salt Flats", "The Cartographer", "The Long Way Round", "Two Tides")
SHOWN = 3


class Server(app_server.Server):
    """GET /recommendations?profile=…, GET /health."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, Handler)


class Handler(app_server.Handler):
    """Answers one connection."""

    def get(self, url: SplitResult) -> None:
        """Answer GET /recommendations."""
        if url.path == "/recommendations":
            profile = parse_qs(url.query).get("profile", ["kim"])[0]
            self.answer(HTTPStatus.OK, {"titles": titles_for(profile)})
        else:
            super().get(url)


def titles_for(profile: str) -> list[str]:
    """What that profile may like: always the same."""
    return random.Random(profile).sample(TITLES, SHOWN)
