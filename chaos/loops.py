"""The loop is the clock: `loop.time()` and `asyncio.sleep` are the only time that code may use.

real      asyncio's own loop: speed 1
scaled    the monotonic clock times N; its selector divides its timeouts, so every interval,
          TTL and boot delay of a lab shrinks by N and every measured second grows by N
virtual   for tests: with nothing ready and no thread at work it jumps to the next timer
fast      uvloop where it is installed, for what stands on its own: speed 1
"""

from __future__ import annotations

import asyncio
import importlib.util
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# Seconds by which uvloop's timers, which count whole milliseconds, may go off early.
UVLOOP_EARLY_S = 0.001
# How long the virtual loop waits for a thread before it looks again; a bound, not a pace.
THREAD_POLL = 0.05


class _Selector(selectors.BaseSelector):
    """Passes everything on to the platform's selector but the timeout, which is `wait`'s."""

    def __init__(self, wait: Callable[[selectors.BaseSelector, float | None], list[Any]]) -> None:
        self._inner = selectors.DefaultSelector()
        self._wait = wait

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._wait(self._inner, timeout)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()


class ScaledLoop(asyncio.SelectorEventLoop):
    """A loop whose clock runs `speed` times faster than the wall's."""

    _clock_resolution: float

    def __init__(self, speed: float) -> None:
        super().__init__(_Selector(self._select))
        self.speed = speed
        self._clock_resolution *= speed

    def time(self) -> float:
        return super().time() * self.speed

    def _select(self, inner: selectors.BaseSelector, timeout: float | None) -> list[Any]:
        return inner.select(timeout if timeout is None else timeout / self.speed)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still while something is ready and jumps when nothing is."""

    _clock_resolution: float

    def __init__(self) -> None:
        super().__init__(_Selector(self._select))
        self._now = 0.0
        self._threads = 0

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        # However short it is: a timer that goes off at once, since the clock cannot tell the
        # difference, would find it where it was, and who waits for what is left would for ever.
        when = max(when, self._now + 2 * self._clock_resolution)
        return super().call_at(when, callback, *args, context=context)

    def time(self) -> float:
        return self._now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self._threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: object) -> None:
        self._threads -= 1

    def _select(self, inner: selectors.BaseSelector, timeout: float | None) -> list[Any]:
        # A timeout of 0 means that callbacks are ready: time stands still.
        if ready := inner.select(0 if timeout is not None else THREAD_POLL):
            return ready
        if timeout and self._threads:
            return inner.select(THREAD_POLL)
        self._now += timeout or 0.0
        return []


def speed_of(loop: asyncio.AbstractEventLoop) -> float:
    """How many of the loop's seconds pass in one second of the wall."""
    return loop.speed if isinstance(loop, ScaledLoop) else 1.0


def run_at(speed: float, main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a loop whose clock runs `speed` times faster."""
    make = asyncio.SelectorEventLoop if speed == 1 else (lambda: ScaledLoop(speed))
    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(main)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def fastest() -> str:
    """The name of the loop that `run_fast` takes: `uvloop` (an extra), or else `asyncio`."""
    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"


def run_fast(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on the fastest loop there is; `fastest` names it."""
    make: Callable[[], asyncio.AbstractEventLoop] = asyncio.SelectorEventLoop
    if fastest() == "uvloop":
        import uvloop

        make = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(main)


def early_by(loop: asyncio.AbstractEventLoop) -> float:
    """Seconds by which the loop's timers may go off early: what may not must ask for more."""
    return 0.0 if isinstance(loop, asyncio.BaseEventLoop) else UVLOOP_EARLY_S


class Stopwatch:
    """Loop seconds since it was made, or last restarted."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin again at 0."""
        self.origin = asyncio.get_running_loop().time()

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() - self.origin
