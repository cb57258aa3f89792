"""Labs that stay when the command that stood them up has returned: `chaos lab`.

    chaos lab up ──► keeper, a process of its own ── lifeline ──► the lab
                        └─ ~/.local/state/chaos/labs/HOST/NAME.json, for as long as it lives

An entry whose keeper is gone, killed or by a restart of the machine, tells of a lab that has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from chaos.environments import traces
from chaos.errors import EnvironmentFailed, InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One lab: who keeps it, since and until when (UTC), and what `describe_lab` gave.

    `described` is empty while it starts. `about` is what its declaration says and the lab does
    not: its title, which page each service has, which names there are. `ended` is why it is over.
    """

    name: str
    keeper: int
    born: str
    boot: str
    since: str
    until: str
    about: dict[str, Any] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)
    ended: str = ""

    @property
    def alive(self) -> bool:
        """Whether its keeper is, and so the lab, which cannot outlive it for long."""
        here = self.boot == traces.boot() and self.born == traces.born(self.keeper)
        return here and not self.ended

    def left(self) -> list[str]:
        """What there still is of the lab, in words: its processes and its directory."""
        directory, pid = Path(self.described.get("directory", "")), self.described.get("pid", 0)
        processes = [f"process {n}" for n in traces.session(pid)] if self._owns(pid) else []
        there = bool(self.described) and directory.exists()
        return [*processes, *([f"the directory {directory}"] if there else [])]

    def _owns(self, pid: int) -> bool:
        """A number is given again only when nothing is left of the session that had it."""
        return self.boot == traces.boot() and traces.born(pid) in ("", self.described.get("born"))


class StandingLabs:
    """The entries in a directory, which need not exist yet."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def of_user(cls) -> Self:
        """Those of this user on this machine. Not in XDG_RUNTIME_DIR: that goes at a logout."""
        state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        try:
            home = Path(state).expanduser()
        except RuntimeError as error:
            raise EnvironmentFailed("no home directory is known; set XDG_STATE_HOME") from error
        return cls(home / "chaos" / "labs" / socket.gethostname())

    def all(self) -> list[Standing]:
        """All entries by name, also of labs that have ended and nobody was told of yet."""
        found = (self._read(path) for path in sorted(self.directory.glob("*.json")))
        return [standing for standing in found if standing is not None]

    def get(self, name: str) -> Standing | None:
        """The entry of that name."""
        return self._read(self.directory / f"{name}.json")

    def log(self, name: str) -> Path:
        """Where the lab of that name writes what it complains of."""
        return self.directory / f"{name}.log"

    def claim(self, standing: Standing) -> None:
        """Make a new entry; raises InvalidInput when a lab of that name stands."""
        with self._alone():
            before = self.get(standing.name)
            if before is not None and before.alive:
                name = standing.name
                raise InvalidInput(
                    f"a lab {name!r} is up already: look at it with `chaos lab status`, end it"
                    f" with `chaos lab down {name}`, or give this one another --name"
                )
            if before is not None:
                self._remove(before)
            self._write(standing)

    def put(self, standing: Standing) -> None:
        """Write an entry anew; for its keeper."""
        with self._alone():
            self._write(standing)

    def forget(self, standing: Standing) -> None:
        """Remove the entry of a lab that has ended, unless it is another one's by now."""
        with self._alone():
            now = self.get(standing.name)
            if now is not None and (now.keeper, now.born) == (standing.keeper, standing.born):
                self._remove(now)

    def _remove(self, standing: Standing) -> None:
        if directory := standing.described.get("directory"):
            traces.clear(Path(directory))
        self.log(standing.name).unlink(missing_ok=True)
        (self.directory / f"{standing.name}.json").unlink(missing_ok=True)

    def _write(self, standing: Standing) -> None:
        path = self.directory / f"{standing.name}.json"
        new = path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(standing), file)
        new.replace(path)

    def _read(self, path: Path) -> Standing | None:
        try:
            return Standing(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise EnvironmentFailed(f"{path}: is no entry of a lab; remove it: {error}") from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Between looking at an entry and changing it no other process does."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self.directory, os.O_RDONLY)
        except OSError as error:
            raise EnvironmentFailed(
                f"{self.directory}: labs cannot be kept there: {error.strerror};"
                " set XDG_STATE_HOME to a directory of yours"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # held for some file operations only
            yield
        finally:
            os.close(fd)
