"""Wishes to end a drill that come from outside of it: signals, and files that appear."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from chaos import private
from chaos.errors import InvalidInput, JournalFailed, Stopped
from chaos.loops import speed_of
from chaos.record import Stop

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds of the wall between two looks for a file.
LOOK_EVERY_S = 0.2
# So much of a file's text is told, in characters.
LONGEST = 200


def beside(journal: Path) -> Path:
    """The file by which another process asks the run with that journal to stop."""
    return journal.with_name("stop")


def ask(journal: Path, why: str) -> None:
    """Ask the run with that journal to put everything back and end; raises JournalFailed."""
    try:
        private.write(beside(journal), why)
    except OSError as error:
        raise JournalFailed(f"{beside(journal)}: cannot be written: {error.strerror}") from error


def none_yet(file: Path) -> Path:
    """The file that is to stop a run; raises InvalidInput when it is there already."""
    if why := _seen(file):
        raise InvalidInput(f"{file}: {why}, so the run would stop at once; give a file to come")
    return file


class Wishes:
    """While it is entered, they end the drill: at once, or through `stop` once it is set.

    None of them ever raises into a rollback, however often it comes.
    """

    def __init__(self) -> None:
        self.stop: Stop | None = None
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._early = False
        # One that is ignored stays so: whoever says `nohup` means it.
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        self._before = {n: h for n, h in handlers.items() if h is not signal.SIG_IGN}

    def __enter__(self) -> Self:
        for number in self._before:
            self._loop.add_signal_handler(number, self.wish, f"stopped by {number.name}")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self._before.items():
            self._loop.remove_signal_handler(number)
            signal.signal(number, handler)
        if self._early and kind is asyncio.CancelledError:
            raise Stopped("stopped before anything was touched")

    def wish(self, why: str, since: float | None = None) -> None:
        """End the drill; `since` is from when on it may have been wished, if not now."""
        if self.stop is not None:
            self.stop.request(why, since)
        elif self._task is not None and not self._early:
            self._early = True
            self._task.cancel()

    @contextlib.contextmanager
    def or_by(self, journal: Path, file: Path | None) -> Iterator[None]:
        """While it is entered, `chaos stop` ends it too, and that file as soon as it exists."""
        ours = beside(journal)
        tasks = [asyncio.create_task(self._watch(ours, lambda _: _text(ours)))]
        if file is not None:
            watch = self._watch(file, lambda why: f"stopped by the file {file}, which {why}")
            tasks.append(asyncio.create_task(watch))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _watch(self, file: Path, say: Callable[[str], str]) -> None:
        looked = self._loop.time()
        while True:
            if why := _seen(file):
                self.wish(say(why), looked)  # it may be there since the look before
                return
            looked = self._loop.time()
            await asyncio.sleep(LOOK_EVERY_S * speed_of(self._loop))


def _seen(file: Path) -> str:
    """Whether it is there; a file that cannot be looked for cannot be relied on."""
    try:
        return "is there" if file.exists() else ""
    except OSError as error:
        return f"cannot be looked for: {error.strerror}"


def _text(file: Path) -> str:
    """Who wishes so and why, in one line."""
    try:
        why = " ".join(file.read_text(errors="replace")[:LONGEST].split())
    except OSError:
        why = ""
    return f"stopped by chaos stop: {why}" if why else "stopped by chaos stop"
