"""The frame around a probe: when an attempt starts, when it is given up, what is kept of it.

first       +1·every    +2·every    +3·every        the grid is fixed
  ├─ attempt 0 ──✕ (timeout)            each attempt is a task of its own, so one that
  │           ├─ attempt 1 ─┤           hangs never delays the next: waiting for it would
  │           │           ├─ attempt 2  leave out the very attempts that find the outage
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from collections.abc import Callable

from probes.durations import show as show_duration
from probes.net import Net
from probes.probe import Attempt, Probe, ProbeFailed, Sample

# After a standstill of the whole process this many missed attempts are made at once, late; those
# before them are left out, and one crashed sample says so.
CATCH_UP = 100
LONGEST_ERROR = 300
# What the machine that measures has run out of says nothing about the system that is measured.
OUR_LIMITS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}

Emit = Callable[[Sample], None]


async def run_probe(
    name: str, probe: Probe, net: Net, *, run: str, origin: float, emit: Emit, first: float = 0.0
) -> None:
    """Make attempt n at loop time `origin + first + n * probe.every`, for ever: cancel to end it.

    `emit` is called with each attempt's Sample as it ends, which is not the order of starting;
    it must not raise. Times in a Sample are seconds since `origin`; `start - due` is how late the
    attempt was. Nothing that a probe raises ends the schedule. When it is cancelled, attempts in
    flight are cancelled and awaited, and give no Sample.
    """
    loop = asyncio.get_running_loop()
    n = 0
    async with asyncio.TaskGroup() as attempts:
        while True:
            due = first + n * probe.every
            await asyncio.sleep(origin + due - loop.time())
            now = loop.time() - origin
            behind = int((now - due) / probe.every)
            if behind > CATCH_UP:
                emit(_left_out(name, n, behind - CATCH_UP, due, now))
                n += behind - CATCH_UP
                due = first + n * probe.every
            attempt = Attempt(run=run, probe=name, n=n)
            attempts.create_task(_make(probe, net, attempt, due, origin, emit))
            n += 1


async def _make(
    probe: Probe, net: Net, attempt: Attempt, due: float, origin: float, emit: Emit
) -> None:
    loop = asyncio.get_running_loop()
    start = max(due, loop.time() - origin)  # a timer may fire one tick of the clock early
    allowed = probe.max_latency or probe.timeout
    beats: list[float] = []
    beat = loop.call_later(allowed / 2, lambda: beats.append(loop.time() - origin))
    error, crashed = await _outcome(probe, net, attempt)
    beat.cancel()
    end = max(start, loop.time() - origin)
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return  # the schedule ends: what this attempt would have found is not known
    if not error and end - start > probe.timeout:
        error = _timed_out(probe, attempt)  # it held up the loop, so no timer could end it
    elif not error:
        error = _too_slow(probe, end - start)
    out_of_time = error and error in (_timed_out(probe, attempt), _too_slow(probe, end - start))
    if out_of_time and not any(at < start + allowed for at in beats):
        # An answer may have been there, and nobody to take it: that is no failure of the system.
        error, crashed = f"{error}, but this process stood still meanwhile", True
    if error and attempt.name_at is not None:
        attempt.detail["name_at"] = round(attempt.name_at - origin, 3)
    emit(
        Sample(
            probe=attempt.probe,
            n=attempt.n,
            due=round(due, 6),
            start=round(start, 6),
            end=round(end, 6),
            ok=not error,
            error=_bounded(error),
            crashed=crashed,
            phases=attempt.phases,
            detail=attempt.detail,
        )
    )


async def _outcome(probe: Probe, net: Net, attempt: Attempt) -> tuple[str, bool]:
    """What was wrong ("" when nothing was), and whether it was the probe itself."""
    try:
        async with asyncio.timeout(probe.timeout) as timer:
            await probe.check(net, attempt)
    except ProbeFailed as error:
        return str(error) or "failed", False
    except OSError as error:
        if timer.expired():
            return _timed_out(probe, attempt), False
        return _told(error, attempt.doing), error.errno in OUR_LIMITS
    except asyncio.CancelledError:
        return "the probe cancelled itself", True
    # A probe may be anybody's code; its defect is a finding of its own and ends nothing.
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}", True
    # A probe that swallows the cancellation ends late, and then it was not good.
    return _timed_out(probe, attempt) if timer.expired() else "", False


def _timed_out(probe: Probe, attempt: Attempt) -> str:
    return f"timed out after {show_duration(probe.timeout)}" + _while(attempt.doing)


def _too_slow(probe: Probe, took: float) -> str:
    limit = probe.max_latency
    if limit is None or took <= limit:
        return ""
    return f"took {show_duration(took)}, more than max_latency {show_duration(limit)}"


def _told(error: OSError, doing: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}" + _while(doing)
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}" + _while(doing)
    if error.errno:
        # asyncio's own text names the call and hides the reason.
        return os.strerror(error.errno).lower() + _while(doing)
    return (str(error) or type(error).__name__) + _while(doing)


def _while(doing: str) -> str:
    return f" ({doing})" if doing else ""


def _bounded(text: str) -> str:
    text = " ".join(line.strip() for line in text.splitlines())
    return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 1] + "…"


def _left_out(name: str, n: int, count: int, due: float, now: float) -> Sample:
    return Sample(
        probe=name,
        n=n,
        due=round(due, 6),
        start=round(now, 6),
        end=round(now, 6),
        ok=False,
        error=f"{count} attempts were left out: this process stood still for"
        f" {show_duration(now - due)}",
        crashed=True,
    )
