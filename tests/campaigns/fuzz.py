"""Experiment files by the thousand that nobody would write, each validated as the command does it.

Never a traceback, never more than a second, never a touch: while a file is read, this process opens
nothing to write, makes and removes nothing, connects to nothing, and starts no process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from campaigns.mutants import mutant

from chaos import experiment, secrets
from chaos.errors import InvalidInput

AT_MOST_S = 1.0  # of the processor: the machine may do something else meanwhile
HANGS_S = 30  # of the wall: then it is ended
BY_COMMAND = 1000  # of so many files one is given to the command itself
BATCH = 100
RENEWED = 10  # batches of a process
KEPT = Path(tempfile.gettempdir()) / "chaos-fuzz"
# Events that Python tells of (PEP 578) and that no reading of a file may cause.
TOUCHES = (
    *("socket.connect", "socket.bind", "socket.sendto", "subprocess.Popen", "os.system", "os.exec"),
    *("os.fork", "os.posix_spawn", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link"),
    *("os.symlink", "os.chmod", "os.chown", "os.truncate", "os.kill", "shutil.rmtree"),
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class Hangs(Exception):
    """It did not come to an end."""


@dataclass(slots=True)
class Tally:
    """What became of the files."""

    seed: int = 0
    files: int = 0
    valid: int = 0
    by_command: int = 0
    slowest_s: float = 0.0
    slowest: int = 0  # its number
    took_s: float = 0.0
    wrong: list[str] = field(default_factory=list)  # how each file went wrong that did
    first_words: Counter[str] = field(default_factory=Counter)

    def shown(self) -> list[tuple[str, str]]:
        """The rows of a table."""
        return [
            ("seed", str(self.seed)),
            ("files", f"{self.files:,}"),
            ("of them valid", f"{self.valid:,}"),
            ("given to the command itself", f"{self.by_command:,}"),
            ("tracebacks, hangs, touches", str(len(self.wrong))),
            ("the slowest (of the processor)", f"{self.slowest_s:.2f} s, number {self.slowest}"),
            ("files a second", f"{self.files / self.took_s:.0f}" if self.took_s else "none"),
        ]

    def add(self, other: Tally) -> None:
        """Take over what became of other files."""
        self.files += other.files
        self.valid += other.valid
        self.by_command += other.by_command
        self.wrong += other.wrong
        if other.slowest_s > self.slowest_s:
            self.slowest_s, self.slowest = other.slowest_s, other.slowest


def campaign(count: int, seed: int, jobs: int = 1) -> Tally:
    """Validate so many files; `jobs` processes do it side by side."""
    tally, began = Tally(seed=seed), time.monotonic()
    work = partial(batch, seed, count=count)
    numbers = range(0, count, BATCH)
    # Errors of pydantic's wrapping validators are never freed, and a command reads one file.
    for some in (numbers[n : n + RENEWED * jobs] for n in range(0, len(numbers), RENEWED * jobs)):
        with ProcessPoolExecutor(jobs) as pool:
            for done in pool.map(work, some):
                tally.add(done)
    tally.took_s = time.monotonic() - began
    return tally


def batch(seed: int, first: int, *, count: int) -> Tally:
    """Validate the files with these numbers."""
    tally = Tally()
    watched()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "drill.yaml"
        for number in range(first, min(first + BATCH, count)):
            data = mutant(seed, number)
            path.write_bytes(data)
            _one(tally, number, path)
            if number % BY_COMMAND == 0:
                _by_command(tally, number, path)
    return tally


def _one(tally: Tally, number: int, path: Path) -> None:
    began = time.process_time()
    tally.files += 1
    try:
        with alarmed(), closed_doors() as touched:
            tally.valid += validate(path)
    except Exception as error:  # noqa: BLE001  # that is what is looked for
        tally.wrong.append(kept(path, number, f"{type(error).__name__}: {error}"))
    else:
        if touched:
            tally.wrong.append(kept(path, number, f"touched {touched[0]}"))
    took = time.process_time() - began
    if took > AT_MOST_S:
        tally.wrong.append(kept(path, number, f"took {took:.1f} s"))
    if took > tally.slowest_s:
        tally.slowest_s, tally.slowest = took, number


def validate(path: Path) -> bool:
    """Whether the file is right: as `chaos validate` looks at it, and as a journal keeps it."""
    try:
        loaded = experiment.load(path)
        for each in (loaded, *map(loaded.on, loaded.environments)):
            experiment.load_lab(each, path)
            each.to_json()
    except InvalidInput as error:
        if not error.problems or not all(map(str.strip, error.problems)):
            raise AssertionError("an error without a reason") from error
        secrets.SECRETS.mask(str(error))
        return False
    return True


def _by_command(tally: Tally, number: int, path: Path) -> None:
    """The command gives the same answer as a process of its own, and leaves nothing behind."""
    tally.by_command += 1
    done = subprocess.run(
        [sys.executable, "-m", "chaos", "validate", path.name],
        cwd=path.parent,
        capture_output=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    if done.returncode not in (0, 2) or b"Traceback" in said or not said:
        tally.wrong.append(kept(path, number, f"the command ended with {done.returncode}"))
    if left := [found.name for found in path.parent.iterdir() if found != path]:
        tally.wrong.append(kept(path, number, f"the command left {left}"))


def kept(path: Path, number: int, why: str) -> str:
    """Keep the file for whoever looks into it; a sentence that says where."""
    KEPT.mkdir(exist_ok=True)
    copy = KEPT / f"{number}.yaml"
    copy.write_bytes(path.read_bytes())
    return f"{copy}: {why[:300]}"


@contextmanager
def alarmed() -> Iterator[None]:
    """What does not come to an end is ended by an error, which says where it was."""

    def ring(_number: int, frame: Any) -> None:
        raise Hangs(f"in {frame.f_code.co_filename}:{frame.f_lineno}")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HANGS_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


_open_doors: list[list[str]] = []  # those who want to know of touches; none while this is empty


@contextmanager
def closed_doors() -> Iterator[list[str]]:
    """What touches anything meanwhile, in this process, is in the list that it gives."""
    touched: list[str] = []
    _open_doors.append(touched)
    try:
        yield touched
    finally:
        _open_doors.pop()


@cache
def watched() -> None:
    """Listen to what Python tells of itself; that cannot be undone in this process."""
    sys.dont_write_bytecode = True
    sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if not _open_doors:
        return
    if event in TOUCHES:
        _open_doors[-1].append(f"{event} {args}"[:200])
    elif event == "open" and (args[2] or 0) & WRITES:
        _open_doors[-1].append(f"open {args[0]!r}")
