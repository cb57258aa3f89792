"""An organisation's policy: `chaos.toml`, `pyproject.toml [tool.chaos]`, `/etc/chaos/chaos.toml`.

All that are found hold. None can open what another one closes, so that it does not matter which is
read first, and nobody gets rid of one by naming another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chaos import schema
from chaos.errors import InvalidInput
from chaos.experiment.safety import PolicyRules

ORGANISATION = Path("/etc/chaos/chaos.toml")
VARIABLE = "CHAOS_POLICY"  # the path of one more
OWN, SHARED = "chaos.toml", "pyproject.toml"
TABLE = ("tool", "chaos")  # where ours is in the shared one


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What one file lays down."""

    path: Path
    rules: PolicyRules

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that was found; each of it holds."""

    files: tuple[PolicyFile, ...] = ()

    @property
    def undo_log(self) -> str | None:
        """Where the undo log is kept, if any file says so; raises InvalidInput when two differ."""
        told = {file.rules.undo_log: file for file in self.files if file.rules.undo_log}
        if len(told) > 1:
            places = "; ".join(f"{file}: {url}" for url, file in told.items())
            raise InvalidInput(f"undo_log: two policies name two places ({places}); keep one")
        return next(iter(told), None)


def find(
    explicit: Path | None = None, *, start: Path | None = None, experiment: Path | None = None
) -> Policy:
    """The policies that hold for whoever works in `start` (the working directory).

    Those of the directory that `experiment` lies in hold too, wherever it is called from.
    `explicit` is one more, which has to be there. Raises InvalidInput with all that is wrong with
    any of them: what cannot be read might have refused.
    """
    found: dict[Path, PolicyFile] = {}
    wrong: list[str] = []
    named = [Path(path) for path in (explicit, os.environ.get(VARIABLE)) if path]
    own = (experiment.absolute().parent, experiment.resolve().parent) if experiment else ()
    above = [path for directory in (start or _here(), *own) for path in _upwards(directory)]
    for path in (ORGANISATION, *dict.fromkeys(above), *named):
        try:
            rules = _read(path, needed=path in named)
        except InvalidInput as error:
            wrong += error.problems
        else:
            if rules is not None:
                found.setdefault(path.resolve(), PolicyFile(path, rules))
    if wrong:
        raise InvalidInput(*dict.fromkeys(wrong))
    return Policy(tuple(found.values()))


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise InvalidInput("the working directory is gone, and policies with it: cd .") from error


def _upwards(directory: Path) -> Iterator[Path]:
    """Where policies may be, from a directory up to the root of its repository, or of all."""
    directory = directory.resolve()
    for each in (directory, *directory.parents):
        yield each / OWN
        yield each / SHARED
        if os.path.lexists(each / ".git"):
            return


def _read(path: Path, *, needed: bool) -> PolicyRules | None:
    """What it lays down; None when it is not there, or has nothing of ours and need not."""
    try:
        data = schema.read(path)
    except InvalidInput as error:
        missing = isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)
        if missing and not needed and not os.path.lexists(path):  # a link into nothing is there
            return None
        raise InvalidInput(f"{error}; a policy that cannot be read may forbid this") from error
    rules = schema.loads_toml(data, PolicyRules, str(path), TABLE if path.name == SHARED else ())
    if rules is None and needed:
        raise InvalidInput(f"{path}: has no [{'.'.join(TABLE)}], so it is no policy")
    return rules
