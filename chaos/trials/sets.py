"""Where sets are kept: one directory each, beside the runs that are its trials.

trials.json names the runs of the set. Whatever else it says is computed from their journals.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos import private
from chaos.errors import InvalidInput, JournalFailed
from chaos.runs import SET, Runs
from chaos.trials.promises import TrialResult, result_of

FILE = SET
PREFIX = "set-"  # no run begins with it, so that neither can be taken for the other
VERSION = 1
DIGITS = str.maketrans("T", "-", "-:")  # of a time, as the ids of runs begin with it


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSet:
    """A set, as far as it has come: `runs` are its trials, in order; `ended` why there are fewer.

    `title` and `place` are for people.
    """

    set: str
    experiment: str
    title: str
    seed: int
    of: int
    place: str
    wall: str
    runs: tuple[str, ...] = ()
    ended: str = ""
    stop_when_decided: bool = False
    over: bool = False
    directory: Path = field(default=Path(), compare=False)

    def to_json(self) -> dict[str, Any]:
        """What cannot be computed from the journals."""
        names = [n for n in self.__slots__ if n != "directory"]
        return {"version": VERSION, **{name: getattr(self, name) for name in names}}

    def results(self, since: int = 0) -> list[TrialResult]:
        """Each trial but the first so many, judged from its journal."""
        beside = Runs(self.directory.parent)
        runs = [*enumerate(self.runs, start=1)][since:]
        return [result_of(beside.journal(run), n, self.set) for n, run in runs]

    def whole(self) -> TrialSet:
        """With the trial in which whoever carried it out was killed: what that broke may be so."""
        beside, begun = Runs(self.directory.parent), self.wall[:19].translate(DIGITS)
        later = (run for run in beside.all() if run >= begun and run not in self.runs)
        for run in (run for run in later if f"-{self.experiment}-" in run):
            if result_of(beside.journal(run), len(self.runs) + 1, self.set).found:  # it is one
                return with_trial(self, run)
        return self


@dataclass(frozen=True, slots=True)
class Sets:
    """The sets below the directory of runs."""

    directory: Path

    def new(self, **about: Any) -> TrialSet:
        """A new set, with a directory of its own; raises JournalFailed."""
        now = datetime.now(UTC)
        name = f"{PREFIX}{now:%Y%m%d-%H%M%S}-{about['experiment']}-{secrets.token_hex(2)}"
        wall = now.isoformat(timespec="milliseconds")
        made = TrialSet(set=name, wall=wall, directory=self.directory / name, **about)
        try:
            private.directory(made.directory)
        except OSError as error:
            raise JournalFailed(f"{made.directory}: cannot be made: {error.strerror}") from error
        return made

    def find(self, name: str) -> TrialSet | None:
        """The set given by its path, its id or a part of it; None when no set is meant.

        Raises InvalidInput when a part fits several, or when it cannot be read.
        """
        path = Path(name)
        for directory in (path, path.parent):
            if (directory / FILE).is_file() and (path.is_dir() or path.name == FILE):
                return read(directory)
        known = sorted(p.parent.name for p in self.directory.glob(f"{PREFIX}*/{FILE}"))
        fits = [k for k in known if k == name] or [
            k for k in known if name.startswith(PREFIX) and name in k
        ]
        if len(fits) > 1:
            raise InvalidInput(f"{name!r} fits {len(fits)} sets: {', '.join(fits[-5:])}")
        return read(self.directory / fits[0]) if fits else None


def read(directory: Path) -> TrialSet:
    """The set that is kept there; raises InvalidInput."""
    path = directory / FILE
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["version"] != VERSION:
            raise InvalidInput(f"{path}: has version {said['version']}, this chaos reads {VERSION}")
        own = {name: said[name] for name in TrialSet.__slots__ if name != "directory"}
        return TrialSet(**own | {"runs": tuple(map(_plain, own["runs"])), "directory": directory})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path}: cannot be read as a set of trials: {error!r}") from error


def _plain(run: object) -> str:
    """A name and no path: whatever the file says, only runs beside it are read."""
    if not isinstance(run, str) or run != Path(run).name:
        raise ValueError(f"{run!r} is no run")
    return run


@contextlib.contextmanager
def going_on(made: TrialSet) -> Iterator[None]:
    """While it is entered the set still goes on, which others can see."""
    fd = os.open(made.directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system may know no locks
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def goes_on(made: TrialSet) -> bool:
    """Whether somebody carries the set out now."""
    fd = os.open(made.directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


def keep(made: TrialSet, **more: Any) -> None:
    """Write trials.json, with what was computed; raises JournalFailed."""
    text = json.dumps({**made.to_json(), **more}, indent=2, allow_nan=False) + "\n"
    try:
        private.write(made.directory / FILE, text)
    except OSError as error:
        raise JournalFailed(f"{made.directory / FILE}: cannot be written: {error}") from error


def with_trial(made: TrialSet, run: str) -> TrialSet:
    """The set with one trial more."""
    return replace(made, runs=(*made.runs, run))
