"""The app `home` of the lab `homepage`: a page that is put together from what others answer.

It is the workload, not the tool: how well it bears a dependency that fails is what drills find out.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, quote

from chaos.lab import app_server
from chaos.lab.breaker import Breaker
from chaos.lab.resolver import Resolver

if TYPE_CHECKING:
    from chaos.lab.instances import Instance
    from chaos.lab.services import Dependency

IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; the port is chosen when connecting, so none is used up
# What is shown to everybody when there is nothing better.
STATIC = ("The Long Way Round", "Night Shift")


class Failed(Exception):
    """A dependency did not do its part; the message says what it did instead."""


class Connection(http.client.HTTPConnection):
    """One that comes from the instance's own address, by which others know who calls."""

    def __init__(self, source: str, host: str, port: int, timeout: float | None) -> None:
        super().__init__(host, port, timeout=timeout)
        self._source = source

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.sock.bind((self._source, 0))
        self.sock.connect((self.host, self.port))


class Client:
    """Calls one dependency: by its name, with its timeout, through its breaker if it has one."""

    def __init__(self, instance: Instance, dependency: Dependency) -> None:
        def now() -> float:
            return time.monotonic() * instance.speed

        self._instance = instance
        self._name = dependency.name
        self._timeout_s = dependency.timeout and dependency.timeout / instance.speed
        self._resolver = Resolver(
            instance.dns,
            timeout_s=dependency.resolver.timeout / instance.speed,
            stale=dependency.resolver.stale,
            now=now,
        )
        self._breaker: Breaker | None = None
        if wanted := dependency.breaker:
            self._breaker = Breaker(failures=wanted.failures, open_for=wanted.open_for, now=now)

    def titles(self, profile: str) -> list[str]:
        """What is recommended to a profile; raises Failed."""
        if self._breaker is None:
            return self._ask(profile)
        if not self._breaker.allows():
            raise Failed("the circuit breaker is open")
        try:
            titles = self._ask(profile)
        except Failed:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return titles

    def _ask(self, profile: str) -> list[str]:
        try:
            address = self._resolver.address(self._name)
            return self._get(address, f"/recommendations?profile={quote(profile)}")
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            raise Failed(str(error) or type(error).__name__) from error

    def _get(self, address: str, path: str) -> list[str]:
        instance = self._instance
        connection = Connection(instance.address, address, instance.port, self._timeout_s)
        try:
            connection.request("GET", path, headers={"Host": self._name})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != HTTPStatus.OK:
            raise Failed(f"status {response.status}")
        titles: list[str] = json.loads(body)["titles"]
        return titles


class Server(app_server.Server):
    """GET /home?profile=…, GET /health.

    Pages are made by a limited number of workers, as in any app server: one that waits for a
    dependency is not there for others, and who comes when all of them wait, waits for them.
    """

    def __init__(self, instance: Instance) -> None:
        ((_, self.dependency),) = instance.service.depends_on.items()
        self.client = Client(instance, self.dependency)
        super().__init__(instance, Handler)


class Handler(app_server.Handler):
    """Answers one connection."""

    server: Server

    def get(self, url: SplitResult) -> None:
        """Answer GET /home."""
        if url.path != "/home":
            super().get(url)
            return
        profile = parse_qs(url.query).get("profile", ["kim"])[0]
        self.answer(*self._page(profile))

    def _page(self, profile: str) -> tuple[HTTPStatus, dict[str, object]]:
        try:
            titles = self.server.client.titles(profile)
        except Failed as error:
            if not self.server.dependency.fallback:
                why = f"no recommendations: {error}"
                return HTTPStatus.SERVICE_UNAVAILABLE, {"error": why}
            why = f"no recommendations of your own: {error}"
            return HTTPStatus.OK, {"recommendations": "fallback", "titles": STATIC, "why": why}
        return HTTPStatus.OK, {"recommendations": "fresh", "titles": titles}
