"""An attempt that takes too long is bad, whatever came back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from chaos.loops import run_virtual
from chaos.testing import one_sample
from probes.net import Net
from probes.probe import Attempt, Probe, ProbeFailed, Sample


class Scripted(Probe):
    """A probe that does what the test says."""

    kind: Literal["scripted"] = "scripted"
    script: Any = None

    async def check(self, net: Net, attempt: Attempt) -> None:
        await self.script(attempt)


def attempted(script: Callable[[Attempt], Awaitable[None]]) -> Sample:
    return run_virtual(one_sample(Scripted(script=script, max_latency=0.5), Net()))


@pytest.mark.parametrize(
    ("took", "error"),
    [
        (0.4, ""),
        (0.5, ""),
        (0.812, "took 812 ms, more than max_latency 500 ms"),
        (1.9, "took 1.9 s, more than max_latency 500 ms"),
        (2.5, "timed out after 2 s"),
    ],
)
def test_an_answer_that_comes_late_is_bad(took: float, error: str) -> None:
    async def script(_: Attempt) -> None:
        await asyncio.sleep(took)

    sample = attempted(script)
    assert (sample.ok, sample.error, sample.crashed) == (not error, error, False)
    assert sample.end - sample.start == pytest.approx(min(took, 2.0))


def test_what_was_wrong_is_told_rather_than_that_it_was_late() -> None:
    async def script(_: Attempt) -> None:
        await asyncio.sleep(1)
        raise ProbeFailed("status 503, not 200")

    assert attempted(script).error == "status 503, not 200"


def test_a_latency_beyond_the_timeout_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be at most the timeout, 2 s"):
        Scripted(max_latency=2.5)
    assert Scripted(max_latency=2).max_latency == 2
