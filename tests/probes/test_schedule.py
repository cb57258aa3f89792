from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chaos.loops import VirtualLoop, run_virtual
from probes.net import Net
from probes.probe import Attempt, Probe, ProbeFailed, Sample
from probes.schedule import CATCH_UP, run_probe

Check = Callable[[Attempt], Awaitable[None]]
NET = Net()


class Scripted(Probe):
    """A probe that does what the test says."""

    kind: str = "scripted"
    script: Any

    async def check(self, net: Net, attempt: Attempt) -> None:
        await self.script(attempt)


def observe(script: Check, *, seconds: float, **given: Any) -> list[Sample]:
    """The samples of one probe, in the order in which they were given, until it is cancelled."""
    samples: list[Sample] = []

    async def main() -> None:
        probe = Scripted(script=script, **given)
        task = asyncio.create_task(frame(probe, samples.append))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}, "attempts were left behind"

    run_virtual(main())
    return samples


async def frame(probe: Probe, emit: Callable[[Sample], None], name: str = "p") -> None:
    origin = asyncio.get_running_loop().time()
    await run_probe(name, probe, NET, run="r", origin=origin, emit=emit)


def stand_still(seconds: float) -> None:
    """The process does not run for so long; its clock does."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._now += seconds


async def good(_: Attempt) -> None:
    await asyncio.sleep(0.1)


# --- the grid -----------------------------------------------------------------------------


def test_attempts_start_on_the_grid_from_the_very_first() -> None:
    samples = observe(good, seconds=5.5)
    assert [s.n for s in samples] == [0, 1, 2, 3, 4, 5]
    assert [s.due for s in samples] == [0, 1, 2, 3, 4, 5]
    assert all(s.ok and s.start == s.due and s.end == pytest.approx(s.due + 0.1) for s in samples)


def test_the_grid_does_not_drift() -> None:
    samples = observe(good, seconds=999.8, every=0.3)
    assert len(samples) == 3333
    assert samples[-1].due == pytest.approx(3332 * 0.3)
    assert max(s.start - s.due for s in samples) < 1e-5


def test_attempts_that_hang_delay_none_and_find_the_whole_outage() -> None:
    """An outage of 10 s is found by ten attempts; waiting for each would find it with two."""

    async def script(attempt: Attempt) -> None:
        if 10 <= attempt.n < 20:
            await asyncio.Event().wait()

    samples = sorted(observe(script, seconds=40, timeout=5), key=lambda s: s.due)
    bad = [s for s in samples if not s.ok]
    assert [s.due for s in bad] == [float(n) for n in range(10, 20)]
    assert all(s.start == s.due and s.end == s.due + 5 for s in bad)


def test_samples_are_given_as_attempts_end() -> None:
    async def script(attempt: Attempt) -> None:
        await asyncio.sleep([1.7, 0.2][attempt.n % 2])

    samples = observe(script, seconds=4.5)
    assert [s.n for s in samples] == [1, 0, 3, 2]
    assert [s.due for s in samples] == [1, 0, 3, 2]


def test_an_attempt_is_told_who_it_is() -> None:
    seen: list[tuple[str, str, int]] = []

    async def script(attempt: Attempt) -> None:
        seen.append((attempt.run, attempt.probe, attempt.n))

    observe(script, seconds=1.5)
    assert seen == [("r", "p", 0), ("r", "p", 1)]


# --- a process that stands still ----------------------------------------------------------


def test_missed_attempts_are_made_late_and_say_so() -> None:
    async def script(attempt: Attempt) -> None:
        if attempt.n == 2:
            stand_still(3.5)

    samples = observe(script, seconds=8.5)
    late = {s.n: s.start - s.due for s in samples}
    assert sorted(late) == list(range(9))
    assert (late[3], late[4], late[5]) == pytest.approx((2.5, 1.5, 0.5))
    assert [n for n, lateness in late.items() if lateness < 0.001] == [0, 1, 2, 6, 7, 8]


def test_after_a_long_standstill_the_oldest_are_left_out_and_one_sample_says_so() -> None:
    async def script(attempt: Attempt) -> None:
        if attempt.n == 0:
            await asyncio.sleep(0.5)
            stand_still(1000)

    samples = observe(script, seconds=1004.5)
    under_way, crashed = [s for s in samples if s.crashed]
    assert under_way.n == 0
    assert (crashed.n, crashed.due, crashed.ok) == (1, 1.0, False)
    left_out = 1000 - 1 - CATCH_UP
    assert crashed.error == (
        f"{left_out} attempts were left out: this process stood still for 16 min 40 s"
    )
    made = sorted(s.n for s in samples if not s.crashed)
    assert made == list(range(1 + left_out, 1005))


STOOD_STILL = "but this process stood still meanwhile"


def test_a_probe_that_holds_up_the_loop_beyond_its_timeout_says_nothing() -> None:
    async def script(_: Attempt) -> None:
        stand_still(2.5)

    sample = observe(script, seconds=0.5)[0]
    assert (sample.ok, sample.crashed) == (False, True)
    assert sample.error == f"timed out after 2 s, {STOOD_STILL}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "timed out after 2 s"),
        ({"timeout": 5, "max_latency": 2}, "took 2.4 s, more than max_latency 2 s"),
    ],
    ids=["timeout", "max_latency"],
)
def test_what_was_late_while_the_process_stood_still_says_nothing(
    given: dict[str, Any], said: str
) -> None:
    """The answer would have come after 0.4 s; nobody was there until 2.3 s to take it."""

    async def script(attempt: Attempt) -> None:
        if attempt.n == 0:
            asyncio.get_running_loop().call_later(0.3, stand_still, 2.0)
            await asyncio.sleep(0.4)
            await asyncio.sleep(0.1)

    sample = next(s for s in observe(script, seconds=3.5, **given) if s.n == 0)
    assert (sample.crashed, sample.error) == (True, f"{said}, {STOOD_STILL}")


def test_what_was_late_before_the_process_stood_still_was_late() -> None:
    """It hung while the loop went round for most of its time: standing still changes little."""

    async def script(attempt: Attempt) -> None:
        if attempt.n == 0:
            asyncio.get_running_loop().call_later(1.8, stand_still, 1.0)
            await asyncio.sleep(100)

    sample = next(s for s in observe(script, seconds=3.5) if s.n == 0)
    assert (sample.crashed, sample.error) == (False, "timed out after 2 s")


def test_a_refusal_is_one_also_when_the_process_stood_still() -> None:
    async def script(_: Attempt) -> None:
        stand_still(2.5)
        raise ConnectionRefusedError(111, "refused")

    sample = observe(script, seconds=0.5)[0]
    assert (sample.ok, sample.crashed, sample.error) == (False, False, "connection refused")


# --- what is bad, and what is a crash -----------------------------------------------------


def outcome(script: Check) -> Sample:
    return observe(script, seconds=0.9, timeout=0.5)[0]


def raising(error: BaseException, doing: str = "") -> Check:
    async def script(attempt: Attempt) -> None:
        attempt.doing = doing
        raise error

    return script


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ProbeFailed("status 503, not 200"), "status 503, not 200"),
        (ProbeFailed(), "failed"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "connection refused"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "connection timed out"),
        (TimeoutError(), "TimeoutError"),
        (OSError(errno.EHOSTUNREACH, "x"), "no route to host"),
        (OSError("something else"), "something else"),
    ],
)
def test_what_the_system_does_wrong_is_bad(error: Exception, said: str) -> None:
    sample = outcome(raising(error))
    assert (sample.ok, sample.crashed, sample.error) == (False, False, said)


def test_an_error_says_what_was_being_done() -> None:
    sample = outcome(raising(OSError(errno.ECONNRESET, "x"), "first_byte"))
    assert sample.error == "connection reset by peer (first_byte)"


def test_a_timeout_says_what_was_being_done_and_keeps_what_was_seen() -> None:
    async def script(attempt: Attempt) -> None:
        with attempt.phase("name"):
            await asyncio.sleep(0.1)
        attempt.detail["address"] = "192.0.2.1"
        with attempt.phase("connect"):
            await asyncio.Event().wait()

    sample = outcome(script)
    assert sample.error == "timed out after 500 ms (connect)"
    assert not sample.crashed
    assert sample.phases == pytest.approx({"name": 0.1, "connect": 0.4})
    assert sample.detail == {"address": "192.0.2.1"}
    assert sample.end - sample.start == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (asyncio.CancelledError(), "the probe cancelled itself"),
        (OSError(errno.EMFILE, "x"), "too many open files"),
        (OSError(errno.EADDRNOTAVAIL, "x"), "cannot assign requested address"),
    ],
)
def test_what_the_probe_does_wrong_is_a_crash(error: BaseException, said: str) -> None:
    sample = outcome(raising(error))
    assert (sample.ok, sample.crashed, sample.error) == (False, True, said)


def test_a_crash_does_not_end_the_schedule() -> None:
    async def script(attempt: Attempt) -> None:
        if attempt.n % 2:
            raise RuntimeError

    assert [s.crashed for s in observe(script, seconds=5.5)] == [False, True] * 3


def test_errors_are_bounded() -> None:
    assert len(outcome(raising(ProbeFailed("x" * 10_000))).error) == 300


def test_a_probe_that_swallows_its_timeout_is_not_good() -> None:
    async def script(_: Attempt) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    sample = outcome(script)
    assert (sample.ok, sample.error) == (False, "timed out after 500 ms")


# --- the end ------------------------------------------------------------------------------


def test_attempts_in_flight_at_the_end_are_awaited_and_give_no_sample() -> None:
    ended: list[int] = []

    async def script(attempt: Attempt) -> None:
        try:
            await asyncio.sleep(1.5 if attempt.n < 3 else 100)
        finally:
            await asyncio.sleep(0.1)  # what tidies up may take its time
            ended.append(attempt.n)

    samples = observe(script, seconds=5.2, timeout=50)
    assert [s.n for s in samples] == [0, 1, 2]
    assert sorted(ended) == [0, 1, 2, 3, 4, 5]


def test_an_attempt_that_swallows_the_end_gives_no_sample() -> None:
    async def script(_: Attempt) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ProbeFailed("made up") from None

    assert observe(script, seconds=1.5) == []


def test_a_thousand_probes_keep_one_grid() -> None:
    samples: list[Sample] = []
    rng = random.Random(7)
    delays = [rng.uniform(0, 3) for _ in range(1000)]

    async def script(attempt: Attempt) -> None:
        delay = delays[int(attempt.probe)]
        if delay > 2.9:
            raise RuntimeError
        await asyncio.sleep(delay)

    async def main() -> None:
        probe = Scripted(script=script, every=1.0, timeout=2.0)
        origin = asyncio.get_running_loop().time()
        tasks = [
            asyncio.create_task(
                run_probe(str(n), probe, NET, run="r", origin=origin, emit=samples.append)
            )
            for n in range(1000)
        ]
        await asyncio.sleep(4.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_virtual(main())
    for n, delay in enumerate(delays):
        mine = [s for s in samples if s.probe == str(n)]
        assert [s.due for s in mine] == [float(i) for i in range(len(mine))]
        assert all(s.start == s.due for s in mine)
        assert all(s.ok == (delay < 2) and s.crashed == (delay > 2.9) for s in mine)
        assert len(mine) >= 3
