"""The loop is the clock."""

from __future__ import annotations

import asyncio
import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from chaos.loops import Stopwatch, run_at, run_virtual, speed_of


def test_virtual_time_jumps_to_the_next_timer() -> None:
    async def main() -> tuple[float, ...]:
        now = Stopwatch()

        async def at(seconds: float) -> float:
            await asyncio.sleep(seconds)
            return now()

        return tuple(await asyncio.gather(at(3600), at(0.25), at(86400)))

    assert run_virtual(main()) == (3600, 0.25, 86400)


@given(st.floats(0, 1e6), st.floats(1e-3, 1e3), st.integers(1, 9))
def test_who_waits_for_what_is_left_comes_to_an_end(
    since: float, window: float, looks: int
) -> None:
    """What is left may be less than the clock can tell of."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(since)
        began, rounds = loop.time(), 0
        while (passed := loop.time() - began) < window:
            await asyncio.sleep(min(window / looks, window - passed))
            rounds += 1
            assert rounds < looks + 5
        return passed

    assert window <= run_virtual(main()) < window + 1e-6


def test_virtual_time_stands_still_while_a_thread_works() -> None:
    async def main() -> tuple[float, bool]:
        now, go = Stopwatch(), threading.Event()
        work = asyncio.create_task(asyncio.to_thread(go.wait, 30))
        timer = asyncio.create_task(asyncio.sleep(1000))
        await asyncio.sleep(0)
        go.set()
        await work
        at_end_of_work = now()
        await timer
        return at_end_of_work, now() == 1000

    assert run_virtual(main()) == (0.0, True)


def test_a_scaled_loop_has_n_seconds_in_one_of_the_wall() -> None:
    async def main() -> tuple[float, float]:
        now = Stopwatch()
        await asyncio.sleep(5)
        return speed_of(asyncio.get_running_loop()), now()

    began = time.monotonic()
    speed, slept = run_at(100, main())
    assert speed == 100
    assert 5 <= slept <= (time.monotonic() - began) * 100


def test_the_real_loop_has_speed_one() -> None:
    async def main() -> float:
        return speed_of(asyncio.get_running_loop())

    assert run_at(1, main()) == 1


def test_a_stopwatch_can_begin_again() -> None:
    async def main() -> tuple[float, float]:
        now = Stopwatch()
        await asyncio.sleep(5)
        first = now()
        now.restart()
        await asyncio.sleep(2)
        return first, now()

    assert run_virtual(main()) == (5, 2)
