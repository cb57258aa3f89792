"""The command `chaos` with a stopwatch around its lab: `python -m benchmarks.lab_watch FILE …`.

It writes to FILE how many seconds the lab took to start; the rest is the command's own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any


def timed(command: Sequence[str], directory: Path) -> tuple[float, float]:
    """Run `chaos` there; returns the seconds of the wall: the whole, and the start of its lab."""
    with tempfile.NamedTemporaryFile() as file:
        watched = [sys.executable, "-m", "benchmarks.lab_watch", file.name, *command]
        began = perf_counter()
        subprocess.run(watched, check=True, cwd=directory, stdout=subprocess.DEVNULL)
        return perf_counter() - began, float(Path(file.name).read_text())


def main() -> None:
    """Put the stopwatch around the lab, then be `chaos`."""
    from chaos import cli
    from chaos.environments import embedded

    start, file = embedded.start, sys.argv.pop(1)

    @asynccontextmanager
    async def watched(*args: Any, **settings: Any) -> AsyncIterator[embedded.Embedded]:
        began = perf_counter()
        async with start(*args, **settings) as lab:
            took = perf_counter() - began
            yield lab
        Path(file).write_text(str(took))  # noqa: ASYNC240  # the lab has ended

    embedded.start = watched
    cli.main()


if __name__ == "__main__":
    main()
