"""What a service may put between the app `playback` and its history: each a way to lose a drill.

It is the workload, not the tool: whether a cache or a buffer breaks a promise is what drills find.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from chaos.lab import sdk

if TYPE_CHECKING:
    from chaos.lab.instances import Instance
    from chaos.lab.services import SecretOf
    from chaos.lab.watched import History

T = TypeVar("T")


def layered(history: History, instance: Instance) -> History:
    """The history as the instance's service reaches it, with all that is declared in between."""
    service, speed = instance.service, instance.speed
    if service.secret is not None:
        history = Locked(history, Secret(instance, service.secret))
    if service.cache is not None:
        history = Cached(history, service.cache / speed)
    if service.acknowledge == "first":
        history = Later(history, service.flush / speed, instance.id)
    return history


class Secret:
    """A secret of Secrets Manager, in memory until it is too old: then it is read again."""

    def __init__(self, instance: Instance, needed: SecretOf) -> None:
        self._name = needed.name
        self._region = needed.region or instance.region
        self._lasts_s = needed.refresh / instance.speed
        self._client: Any = sdk.client(instance, "secretsmanager", self._region)
        self._value = ""
        self._read = 0.0

    def get(self) -> str:
        """What it says; raises one of `sdk.FAILURES`."""
        now = time.monotonic()
        if not self._value or now - self._read > self._lasts_s:
            try:
                answer = self._client.get_secret_value(SecretId=self._name)
            except sdk.FAILURES as error:
                what = f"the secret {self._name} in {self._region} cannot be read"
                raise sdk.Lacking(f"{what}: {error}") from error
            self._value, self._read = answer["SecretString"], now
        return self._value


class Locked:
    """A history that cannot be read or written without a secret, as with a database's password."""

    def __init__(self, history: History, secret: Secret) -> None:
        self._history = history
        self._secret = secret

    def read(self, profile: str) -> dict[str, str]:
        """The profile's last title and position."""
        self._secret.get()
        return self._history.read(profile)

    def titles(self, profile: str) -> list[str]:
        """All that the profile has watched."""
        self._secret.get()
        return self._history.titles(profile)

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it."""
        self._secret.get()
        self._history.write(profile, title, position)


class Cached:
    """Answers what it has once read for a while, whatever is written: DAX's query cache does."""

    def __init__(self, history: History, lasts_s: float) -> None:
        self._history = history
        self._lasts_s = lasts_s
        self._known: dict[tuple[str, str], tuple[float, Any]] = {}

    def read(self, profile: str) -> dict[str, str]:
        """The profile's last title and position, as they were once."""
        return self._kept("read", profile, self._history.read)

    def titles(self, profile: str) -> list[str]:
        """All that the profile had watched once."""
        return self._kept("titles", profile, self._history.titles)

    def write(self, profile: str, title: str, position: str) -> None:
        """Remember it, past the cache."""
        self._history.write(profile, title, position)

    def _kept(self, what: str, profile: str, look: Callable[[str], T]) -> T:
        at, found = self._known.get((what, profile), (0.0, None))
        if found is None or time.monotonic() - at > self._lasts_s:
            at, found = time.monotonic(), look(profile)
            self._known[what, profile] = (at, found)
        kept: T = found
        return kept


class Later:
    """Takes a write at once and stores it a while later, one after the other; what fails is lost.

    What waits is in the memory of the instance alone.
    """

    def __init__(self, history: History, after_s: float, whose: str) -> None:
        self._history = history
        self._after_s = after_s
        self._whose = whose
        self._waiting: queue.SimpleQueue[tuple[float, tuple[str, str, str]]] = queue.SimpleQueue()
        threading.Thread(target=self._store, name="flush", daemon=True).start()

    def read(self, profile: str) -> dict[str, str]:
        """The profile's last title and position, of what is stored."""
        return self._history.read(profile)

    def titles(self, profile: str) -> list[str]:
        """All that the profile has watched, of what is stored."""
        return self._history.titles(profile)

    def write(self, profile: str, title: str, position: str) -> None:
        """Promise to remember it."""
        self._waiting.put((time.monotonic() + self._after_s, (profile, title, position)))

    def _store(self) -> None:
        while True:
            due, what = self._waiting.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                self._history.write(*what)
            except sdk.FAILURES as error:
                print(f"{self._whose}: a write is lost: {error}", file=sys.stderr)
