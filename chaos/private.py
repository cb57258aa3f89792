"""Files and directories for this user alone, whatever the umask lets others do."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

FILE, DIRECTORY = 0o600, 0o700


def directory(path: Path) -> None:
    """Make the directory, and those above it that are not there; one that is stays as it is.

    Raises OSError.
    """
    if path.is_dir():
        return
    directory(path.parent)
    try:
        path.mkdir(DIRECTORY)
    except FileExistsError as error:
        if not path.is_dir():  # nobody else has made it meanwhile: it is a file
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
    else:
        path.chmod(DIRECTORY)


def create(path: Path, flags: int) -> int:
    """Open the file, which is made if `flags` say so, and return its descriptor; raises OSError.

    What is no file, such as /dev/null, belongs to everybody and keeps its mode.
    """
    fd = os.open(path, flags, FILE)
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.fchmod(fd, FILE)
    except OSError:
        os.close(fd)
        raise
    return fd


def write(path: Path, text: str) -> None:
    """Write into a file beside it, which then takes its name: no reader sees half of it.

    Raises OSError.
    """
    write_bytes(path, [text.encode()])


def write_bytes(path: Path, pieces: Iterable[bytes]) -> None:
    """The same, of bytes that come in pieces."""
    fd, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        os.fchmod(fd, FILE)
        with open(fd, "wb") as file:  # noqa: PTH123  # it is a descriptor
            file.writelines(pieces)
            file.flush()
            os.fsync(fd)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
