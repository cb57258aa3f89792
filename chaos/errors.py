"""Every error that `chaos` raises on purpose.

    ChaosError
    ├── InvalidInput        the user's mistake, found before anything was touched      exit 2
    ├── EnvironmentFailed   the place where it should happen cannot be used            exit 2
    │   └── EnvironmentGone it ended, and every lever with it
    ├── CallFailed          one call to the environment was refused or went wrong
    │   └── Unsupported     the environment does not offer that operation
    ├── Stopped             the user ended it before anything was touched              exit 3
    ├── InjectionFailed     a fault could not be brought about                         exit 3
    ├── RestoreFailed       a lever could not be put back                              exit 4
    ├── StoreFailed         the history of runs cannot be written or read              exit 2
    ├── NotSent             what watches runs did not take the figures of one; told, and no more
    └── JournalFailed       the record cannot be written or read                       exit 2

Each message is one sentence or more that says where, what, and what to do. Anything else that
is raised is a defect of ours and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self


class ChaosError(Exception):
    """The root: its message can be shown to the user as it is."""

    exit_code: ClassVar[int] = 2


class Located(str):
    """A problem that knows its place; as text it is the whole message."""

    __slots__ = ("col", "file", "line", "what", "where")
    file: str
    line: int
    col: int
    where: str
    what: str

    def __new__(cls, file: str, line: int, col: int, where: str, what: str) -> Self:
        """`line` and `col` count from 1; `where` is the path in the file, such as `faults[0]`."""
        self = super().__new__(cls, f"{file}:{line}:{col}: {where}: {what}")
        self.file, self.line, self.col, self.where, self.what = file, line, col, where, what
        return self


class InvalidInput(ChaosError):
    """What the user gave cannot be used; carries all problems found, one line each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class EnvironmentFailed(ChaosError):
    """The environment did not start, cannot be reached, or went away."""


class EnvironmentGone(EnvironmentFailed):
    """The environment ended for good: nothing of it is left to put back."""


class CallFailed(ChaosError):
    """One call to the environment failed; `code` and `said` are the service's own.

    So is `request_id`: by it AWS knows the request; empty where nobody has answered.
    """

    exit_code = 3

    def __init__(self, call: str, code: str, message: str, request_id: str = "") -> None:
        super().__init__(f"{call} failed: {code}: {message}")
        self.call = call
        self.code = code
        self.said = message
        self.request_id = request_id


class Unsupported(CallFailed):
    """The environment does not offer the operation (an emulator's gap), so nothing was done."""


class Stopped(ChaosError):
    """The user ended the drill before anything was touched."""

    exit_code = 3


class InjectionFailed(ChaosError):
    """A fault could not be brought about, or cannot be shown to have been."""

    exit_code = 3


class RestoreFailed(ChaosError):
    """A lever is not at its prior value."""

    exit_code = 4


class StoreFailed(ChaosError):
    """The history of runs cannot be written or read."""


class NotSent(ChaosError):
    """A service that watches runs did not take what it was sent of one that has ended."""


class JournalFailed(ChaosError):
    """The journal cannot be written or read."""
