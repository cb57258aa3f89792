"""The Enter key, for who sits at the terminal; without one nobody presses it."""

from __future__ import annotations

import os
import select
import sys
import termios


def pressed() -> bool:
    """Whether Enter was pressed since the last look; returns at once."""
    return bool(line())


def line() -> str | None:
    """The line that was typed since the last look, None if there is none; returns at once."""
    fd = _terminal()
    if fd is None or not select.select([fd], [], [], 0)[0]:
        return None
    return os.read(fd, 4096).decode(errors="replace")


def there() -> bool:
    """Whether there is a terminal at which somebody may press it."""
    return _terminal() is not None


def forget() -> None:
    """What was typed before a question is no answer to it."""
    if (fd := _terminal()) is not None:
        termios.tcflush(fd, termios.TCIFLUSH)


def _terminal() -> int | None:
    """Standard input, if it is the terminal that we may read: one in the background is stopped."""
    try:
        fd = sys.stdin.fileno()
        return fd if os.tcgetpgrp(fd) == os.getpgrp() else None
    except (AttributeError, OSError, ValueError):  # none, no terminal, closed
        return None
