"""The command as a child process: it gets our signals, and its end is ours."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess  # the user's own command
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from chaos.errors import InvalidInput

# From a terminal these reach every process of the foreground group without us.
OF_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
PASSED_ON = (signal.SIGTERM, signal.SIGHUP)
# As shells tell that a signal ended a command.
BY_SIGNAL = 128


def refuse_unknown(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raises InvalidInput when there is no such program."""
    if shutil.which(command[0], path=environment.get("PATH")) is None:
        raise InvalidInput(f"{command[0]}: there is no such program that can be run")


@contextlib.asynccontextmanager
async def started(
    argv: Sequence[str], environment: Mapping[str, str], fds: Sequence[int] = ()
) -> AsyncIterator[Process]:
    """The process with our standard streams; it does not outlive the block."""
    process = Process()
    # Before it starts: a signal of that very moment is for it, and comes when we wait next.
    with process.getting_signals():
        process.start(argv, environment, fds)
        try:
            yield process
        finally:
            process.send(signal.SIGKILL)
            await process.ended()


class Process:
    """What runs. Without a terminal it has a process group of its own, which gets the signals."""

    def __init__(self) -> None:
        self._popen: subprocess.Popen[bytes]
        self._terminal = _has_terminal()

    def start(
        self, argv: Sequence[str], environment: Mapping[str, str], fds: Sequence[int]
    ) -> None:
        """Raises InvalidInput when it cannot be run."""
        group = None if self._terminal else 0
        try:
            self._popen = subprocess.Popen(  # noqa: S603  # what the user asks for
                argv, env=environment, pass_fds=fds, process_group=group
            )
        except OSError as error:
            raise InvalidInput(f"{argv[0]}: {error.strerror}") from error

    async def ended(self) -> int:
        """Its exit code, as a shell tells it."""
        code = await asyncio.to_thread(self._popen.wait)
        return BY_SIGNAL - code if code < 0 else code

    def send(self, number: int) -> None:
        """A signal, unless it has ended."""
        if self._popen.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if self._terminal:
                self._popen.send_signal(number)
            else:
                os.killpg(self._popen.pid, number)

    @contextlib.contextmanager
    def getting_signals(self) -> Iterator[None]:
        """Ours go to it; we end when it has."""
        loop = asyncio.get_running_loop()
        for number in PASSED_ON:
            loop.add_signal_handler(number, self.send, number)
        for number in OF_THE_TERMINAL:
            loop.add_signal_handler(number, self._interrupted, number)
        try:
            yield
        finally:
            for number in (*PASSED_ON, *OF_THE_TERMINAL):
                loop.remove_signal_handler(number)

    def _interrupted(self, number: int) -> None:
        if not self._terminal:
            self.send(number)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
