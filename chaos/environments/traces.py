"""What a lab leaves on this machine while it lives, and how to tell that nothing is left."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


def boot() -> str:
    """Which start of this machine it is, as the kernel calls it."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def born(pid: int) -> str:
    """When that process began, in the kernel's ticks; empty when it has ended."""
    state = _stat(pid)
    return "" if not state or state[0] in "ZX" else state[19]  # field 22 of proc(5)


def session(leader: int) -> Iterator[int]:
    """The processes of the session that this one began: a lab, and all that it has started."""
    for path in Path("/proc").glob("[0-9]*"):
        state = _stat(int(path.name))
        if state and state[0] not in "ZX" and state[3] == str(leader):  # field 6 of proc(5)
            yield int(path.name)


def clear(directory: Path) -> None:
    """Remove a lab's directory, if it is one, and ours."""
    ours = directory.name.startswith("chaos-lab-") and directory.is_dir()
    if ours and directory.stat().st_uid == os.getuid():
        shutil.rmtree(directory, ignore_errors=True)


def _stat(pid: int) -> list[str]:
    """What proc(5) calls `stat`, from its third field on: a name may hold any character."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []
