"""What the lab leaves to chance: spread evenly, or drawn from a trial's seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from chaos.lab.chance import CHANCE, Chance
from chaos.lab.health import CHECKERS, HealthCheckers
from chaos.lab.health_check import HealthCheck
from chaos.loops import run_virtual

INTERVAL = 30.0


@pytest.fixture
def unseeded() -> Iterator[None]:
    state = random.getstate()
    yield
    CHANCE.sow(None)
    random.setstate(state)


def requests(seed: str | None) -> list[float]:
    """When the checkers of one check make their first requests."""
    CHANCE.sow(seed)
    times: list[float] = []

    async def passes(_: HealthCheck, __: tuple[str, int]) -> bool:
        times.append(asyncio.get_running_loop().time())
        return True

    async def watch() -> None:
        checkers = HealthCheckers(
            resolve=lambda _: None, route=lambda ip, port: (ip, port), passes=passes
        )
        checkers.set([HealthCheck(id="c1", name="east", type="TCP", ip="127.0.0.1", interval=30.0)])
        await asyncio.sleep(INTERVAL - 0.001)
        await checkers.stop()

    run_virtual(watch())
    return times


@pytest.mark.usefixtures("unseeded")
def test_checkers_are_spread_evenly_unless_a_seed_draws_their_phases() -> None:
    assert requests(None) == [0.0, 10.0, 20.0]
    drawn = requests("7/1/lab")
    assert len(drawn) == CHECKERS
    assert drawn == requests("7/1/lab")
    assert drawn != requests("7/2/lab")


def test_phases_are_drawn_by_name_and_not_by_turn() -> None:
    one, other = Chance(), Chance()
    assert (one.phase("a"), one.phase("a", 1, 4)) == (0.0, 0.25)
    state = random.getstate()
    one.sow("s")
    other.sow("s")
    other.phase("b")
    assert one.phase("a", 2, 3) == other.phase("a", 2, 3)
    assert 0 <= one.phase("a") < 1
    random.setstate(state)
