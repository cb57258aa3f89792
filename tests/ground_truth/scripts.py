"""Outages scripted to the millisecond, by chance: what a server does, and how it is measured.

Times are whole milliseconds from the scenario's zero. No state lasts shorter than a period and two
timeouts, which is what docs/measurement.md asks for before it promises that every turn is found.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

How = Literal["refuse", "hang", "5xx", "slow", "half of the answers", "one of two addresses"]
WHOLE: tuple[How, ...] = ("refuse", "hang", "5xx", "slow")
FLAPPING = "flapping"  # in any of these ways, twice or more
# Not a state of the system but of an answer: what one client meets depends on whose turn it is.
PARTIAL: tuple[How, ...] = ("half of the answers", "one of two addresses")
NAME = "two.example"  # has two addresses
KINDS = (*WHOLE, FLAPPING, *PARTIAL)
CONFIRM = 3
SPARE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What one server does, and nobody but the server knows.

    downs      from when to when it is down, one after the other
    how        it refuses connections, accepts them and keeps silent, answers badly, or slowly;
               or gives so to every second question: of an answer, or of its name's address
    slow_ms    how long a slow answer takes
    rescues    whether what hangs when it comes back is answered then, or else closed
    """

    how: How
    downs: tuple[tuple[int, int], ...]
    slow_ms: int = 0
    rescues: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A server's script, the probe that measures it, and the fault that is told to be on."""

    script: Script
    probe: Literal["http", "tcp"]
    every_ms: int
    timeout_ms: int
    limit_ms: int  # what takes longer is bad: the timeout, or less
    offset_ms: int  # the probe's grid begins so long after zero
    injected_ms: int
    lifted_ms: int
    until_ms: int

    @property
    def name(self) -> str:
        """What kind it is of."""
        return self.script.how if len(self.script.downs) == 1 else FLAPPING


# A server that does nothing but answer: when it is late, so is everything for that alone.
CONTROL = Script(how="5xx", downs=())


@st.composite
def scenarios(draw: Callable[[st.SearchStrategy[Any]], Any], name: str) -> Scenario:
    """One of that kind, some 6 to 15 s long."""
    flapping = name == FLAPPING
    how: How = draw(st.sampled_from(WHOLE if flapping else [name]))
    every = draw(st.sampled_from([250, 400, 500]))
    timeout = draw(st.sampled_from([500, 600, 700]))
    limit = draw(st.integers(300, 400)) if how == "slow" else timeout
    grain = every + 2 * timeout
    begin = grain + draw(st.integers(0, 2000))
    downs = []
    for _ in range(draw(st.integers(2, 3)) if flapping else 1):
        end = begin + grain + draw(st.integers(0, 500 if flapping else 4000))
        downs.append((begin, end))
        begin = end + grain + draw(st.integers(0, 500))
    back = downs[-1][1]
    seen = (CONFIRM + 2) * every + 2 * timeout  # by then a recovery is confirmed
    in_time = draw(st.booleans())
    begun = downs[-1][0] + grain  # the last one is certainly seen to have begun
    lifted = back + seen if in_time else draw(st.integers(begun, max(begun, back)))
    return Scenario(
        script=Script(
            how=how,
            downs=tuple(downs),
            slow_ms=limit + draw(st.integers(100, 600)),
            rescues=draw(st.booleans()),
        ),
        probe=draw(st.sampled_from(["http", "tcp"])),
        every_ms=every,
        timeout_ms=timeout,
        limit_ms=limit,
        offset_ms=draw(st.integers(0, every)),
        injected_ms=downs[0][0] - draw(st.integers(0, 1000)),
        lifted_ms=lifted,
        until_ms=max(lifted, back + seen) + timeout,
    )


def drawn(count: int, by: int) -> list[Scenario]:
    """So many of them, of each kind in turn; the same seed draws the same."""
    enough = math.ceil(count / len(KINDS))
    each = [_drawn(name, enough, f"{name} {by}") for name in KINDS]
    return list(itertools.chain.from_iterable(zip(*each, strict=True)))[:count]


def _drawn(name: str, count: int, by: str) -> list[Scenario]:
    """More are drawn than wanted: hypothesis likes to vary one of them again and again."""
    found: list[Scenario] = []

    @seed(by)
    @settings(max_examples=SPARE * count, phases=[Phase.generate], database=None, deadline=None)
    @given(scenarios(name))
    def draw(scenario: Scenario) -> None:
        found.append(scenario)

    draw()
    return Random(by).sample(found, count)
