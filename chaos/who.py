"""Who is at this machine, as far as it can tell: for records, never for permissions."""

from __future__ import annotations

import getpass
import socket


def who() -> str:
    """`user@host`; a user without a name is told by number."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that nobody has
        import os

        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
