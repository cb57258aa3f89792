"""An answer that comes slowly, or breaks off: what a fault makes of the bytes on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# Seconds of the loop between two pieces of a slowed answer, and at most to be made up for when
# the upstream, or the clock, was slower than the rate.
PACE_S = 0.02
CATCH_UP_S = 0.1


class Answer:
    """Passes the head on at once, and the body at a rate, up to where it is cut off.

    `write` takes what goes to the client; `settled` is called when nothing waits any more.
    """

    def __init__(self, write: Callable[[bytes], None], settled: Callable[[], None]) -> None:
        self._write = write
        self._settled = settled
        self._head = 0
        self._rate: float | None = None
        self._left: int | None = None
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = b""
        self.cut = False

    def begin(self, head: int, rate: float | None, after: int | None) -> None:
        """The next `head` bytes are the head. None: at any rate, and to the end."""
        self._head, self._rate, self._left = head, rate, after
        self._due = asyncio.get_running_loop().time()

    def feed(self, data: bytes) -> None:
        """Take bytes of the answer."""
        head, body = data[: self._head], data[self._head :]
        self._head -= len(head)
        if head:
            self._write(head)
        if self._left is not None:
            self.cut = self.cut or len(body) > self._left
            body = body[: self._left]
            self._left -= len(body)
        self.waiting += body
        self._go_on()

    def change(self, rate: float | None, *, whole: bool) -> None:
        """Other rules stand: another rate, and perhaps no end any more but the answer's own."""
        self._rate = rate
        if whole and not self.cut:
            self._left = None
        self.stop()
        self._go_on()
        if not self.waiting:
            self._settled()

    def stop(self) -> None:
        """Pass nothing on by itself."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        if self._rate is None:
            data, self.waiting = self.waiting, b""
            if data:
                self._write(data)
        elif self.waiting and self._timer is None:
            loop = asyncio.get_running_loop()
            size = min(len(self.waiting), max(1, int(self._rate * PACE_S)))
            self._due = max(self._due, loop.time() - CATCH_UP_S) + size / self._rate
            self._timer = loop.call_at(self._due, self._pass_on, size)

    def _pass_on(self, size: int) -> None:
        self._timer = None
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        self._write(data)
        self._go_on()
        if not self.waiting:
            self._settled()
