"""The command `chaos`, also as `python -m chaos`."""

from __future__ import annotations

import contextlib
import os
import sys

from chaos import __version__


def main() -> None:
    """Run the command; for the version alone, nothing else is imported."""
    if sys.argv[1:] == ["--version"]:
        with contextlib.suppress(OSError):  # a reader that has gone: 1 would mean `broken`
            os.write(1, f"chaos, version {__version__}\n".encode())
        return
    from chaos.cli import main as commands

    commands()


if __name__ == "__main__":
    main()
