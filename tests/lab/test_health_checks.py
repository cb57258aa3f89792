"""Health checkers keep to Route 53's rules: limits, intervals, thresholds, majorities."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import EnvironmentFailed
from chaos.lab.health import Checker, HealthCheckers, agreed, refuse_circles
from chaos.lab.health_check import HealthCheck
from chaos.loops import run_virtual

WITHIN = 600.0  # loop seconds, a deadline for a test that hangs


def http(**fields: Any) -> HealthCheck:
    usual: dict[str, Any] = {"id": "c", "name": "c", "type": "HTTP", "ip": "127.1.1.10"}
    return HealthCheck(**(usual | fields))


# --- one checker, and what several of them agree on


@pytest.mark.parametrize(
    ("threshold", "results", "opinions"),
    [
        (3, "fff", "HHU"),
        (3, "ffpff", "HHHHH"),
        (3, "fffppp", "HHUUUH"),
        (3, "fffppfppp", "HHUUUUUUH"),
        (1, "fpf", "UHU"),
        (2, "pppff", "HHHHU"),
    ],
)
def test_a_checker_changes_its_mind_after_so_many_contrary_results_in_a_row(
    threshold: int, results: str, opinions: str
) -> None:
    checker, seen = Checker(), ""
    for result in results:
        checker.saw(result == "p", threshold)
        seen += "H" if checker.healthy else "U"
    assert seen == opinions


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 10))
def test_an_opinion_is_that_of_the_last_run_that_was_long_enough(
    results: list[bool], threshold: int
) -> None:
    checker = Checker()
    for result in results:
        checker.saw(result, threshold)
    runs = [
        results[start]
        for start in range(len(results) - threshold + 1)
        if len(set(results[start : start + threshold])) == 1
    ]
    assert checker.healthy == ([True, *runs][-1])


@pytest.mark.parametrize(
    ("healthy", "of", "agreed_on"),
    [(0, 3, False), (1, 3, True), (3, 3, True), (2, 16, False), (3, 16, True), (9, 50, False)],
)
def test_more_than_18_percent_of_the_checkers_make_a_check_healthy(
    healthy: int, of: int, agreed_on: bool
) -> None:
    assert agreed([True] * healthy + [False] * (of - healthy)) is agreed_on


# --- checkers in time, with an injected request


class Endpoint:
    """A check function that answers as it is told and notes when it was asked."""

    def __init__(self, up: bool = True, takes: float = 0.0) -> None:
        self.up = up
        self.takes = takes
        self.asked: list[float] = []
        self.addresses: set[tuple[str, int]] = set()

    async def __call__(self, _check: HealthCheck, address: tuple[str, int]) -> bool:
        self.asked.append(asyncio.get_running_loop().time())
        self.addresses.add(address)
        await asyncio.sleep(self.takes)
        return self.up


@asynccontextmanager
async def checking(
    *checks: HealthCheck, endpoint: Callable[..., Awaitable[bool]], count: int = 3
) -> AsyncIterator[HealthCheckers]:
    names = {"east.example": "127.1.0.10"}
    checkers = HealthCheckers(
        count=count,
        resolve=names.get,
        route=lambda ip, port: (ip, port + 8000) if ip.startswith("127.") else None,
        passes=endpoint,
    )
    checkers.set(checks)
    try:
        async with asyncio.timeout(WITHIN):
            yield checkers
    finally:
        await checkers.stop()


def test_checkers_begin_spread_over_the_interval_and_keep_it_from_answer_to_request() -> None:
    async def main() -> list[float]:
        endpoint = Endpoint(takes=0.5)
        async with checking(http(interval=30.0), endpoint=endpoint):
            await asyncio.sleep(75)
            return endpoint.asked

    assert run_virtual(main()) == [0, 10, 20, 30.5, 40.5, 50.5, 61, 71]


def test_a_check_fails_when_the_last_checker_has_seen_enough_and_comes_back_with_the_first() -> (
    None
):
    async def main() -> list[tuple[float, bool]]:
        endpoint, loop = Endpoint(up=False), asyncio.get_running_loop()
        seen = []
        async with checking(http(interval=10.0, threshold=3), endpoint=endpoint) as checkers:
            for tick in range(80):
                seen.append((loop.time(), checkers.healthy("c")))
                endpoint.up = tick >= 49
                await asyncio.sleep(1)
        return [
            seen[0],
            *(now for before, now in itertools.pairwise(seen) if before[1] != now[1]),
        ]

    # Requests at 0, 10/3 and 20/3 and each ten seconds: the third of the last checker is at 26.7.
    # From 50 on the endpoint is up: 50, 60, 70 for the first one.
    assert run_virtual(main()) == [(0, True), (27, False), (71, True)]


def test_a_new_check_is_healthy_at_once_and_an_inverted_one_is_not() -> None:
    async def main() -> None:
        plain, inverted = http(), http(id="i", inverted=True)
        async with checking(plain, inverted, endpoint=Endpoint()) as checkers:
            assert checkers.healthy("c")
            assert not checkers.healthy("i")

    run_virtual(main())


@pytest.mark.parametrize(
    ("fields", "healthy", "asked"),
    [
        ({}, False, True),
        ({"inverted": True}, True, True),
        ({"disabled": True}, True, False),
        ({"disabled": True, "inverted": True}, False, False),
    ],
)
def test_a_disabled_check_asks_nothing_and_is_healthy_before_it_is_inverted(
    fields: dict[str, bool], healthy: bool, asked: bool
) -> None:
    async def main() -> None:
        endpoint = Endpoint(up=False)
        async with checking(http(**fields), endpoint=endpoint) as checkers:
            await asyncio.sleep(200)
            assert checkers.healthy("c") is healthy
            assert bool(endpoint.asked) is asked

    run_virtual(main())


def calculated(needed: int, *children: str, **fields: Any) -> HealthCheck:
    return http(id="sum", type="CALCULATED", ip=None, children=children, needed=needed, **fields)


@pytest.mark.parametrize(
    ("check", "healthy"),
    [
        (calculated(1, "up", "down"), True),
        (calculated(2, "up", "down"), False),
        (calculated(0, "down"), True),
        (calculated(0), True),
        (calculated(2, "up"), False),
        (calculated(2, "up", "down", inverted=True), True),
        (calculated(2, "up", "down", disabled=True), True),
    ],
)
def test_a_calculated_check_counts_its_healthy_children(check: HealthCheck, healthy: bool) -> None:
    async def main() -> None:
        endpoint = Endpoint()
        children = http(id="up"), http(id="down", inverted=True)
        async with checking(check, *children, endpoint=endpoint) as checkers:
            assert checkers.healthy("sum") is healthy
            assert next(iter(checkers.describe())) == {
                "id": "sum",
                "name": "c",
                "healthy": healthy,
                "checkers": [],
            }

    run_virtual(main())


def test_calculated_checks_in_a_circle_are_refused() -> None:
    circle = [calculated(1, "b"), http(id="b", type="CALCULATED", children=("sum",))]
    with pytest.raises(EnvironmentFailed, match=r"go round in a circle: .*sum"):
        refuse_circles(circle)
    refuse_circles([calculated(1, "c", "not-there"), http()])


def test_a_name_is_resolved_and_an_address_routed_at_each_request() -> None:
    async def main() -> None:
        endpoint = Endpoint()
        named = http(id="named", ip=None, fqdn="east.example", port=8080)
        nowhere = http(id="nowhere", ip=None, fqdn="no.example", threshold=1)
        outside = http(id="outside", ip="192.0.2.1", threshold=1)
        async with checking(http(), named, nowhere, outside, endpoint=endpoint) as checkers:
            await asyncio.sleep(31)
            assert endpoint.addresses == {("127.1.1.10", 8080), ("127.1.0.10", 16080)}
            healthy = {each["id"]: each["healthy"] for each in checkers.describe()}
            assert healthy == {"c": True, "named": True, "nowhere": False, "outside": False}

    run_virtual(main())


def test_checks_that_stay_keep_their_state_new_ones_start_healthy_and_others_stop() -> None:
    async def main() -> None:
        endpoint = Endpoint(up=False)
        async with checking(http(threshold=1), http(id="gone"), endpoint=endpoint) as checkers:
            await asyncio.sleep(30)
            assert not checkers.healthy("c")
            checkers.set([http(threshold=2, name="renamed"), http(id="new")])
            assert [(each["id"], each["healthy"]) for each in checkers.describe()] == [
                ("c", False),
                ("new", True),
            ]
            assert checkers.describe()[0]["name"] == "renamed"
            assert checkers.healthy("gone"), "what is not checked has nothing against it"
            endpoint.asked.clear()
            endpoint.up = True
            await asyncio.sleep(59)
            assert len(endpoint.asked) == 2 * 3 * 2
            assert checkers.healthy("c")

    run_virtual(main())


def test_stopping_ends_every_checker() -> None:
    async def main() -> None:
        endpoint = Endpoint()
        async with checking(http(), endpoint=endpoint):
            await asyncio.sleep(100)
        endpoint.asked.clear()
        await asyncio.sleep(100)
        assert not endpoint.asked
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())


def test_a_checker_that_breaks_does_not_do_so_without_a_word() -> None:
    async def broken(_check: HealthCheck, _address: tuple[str, int]) -> bool:
        raise KeyError("a defect of ours")

    async def main() -> list[Any]:
        said: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        async with checking(http(), endpoint=broken, count=1):
            await asyncio.sleep(1)
        return [context["exception"] for context in said]

    assert [repr(error) for error in run_virtual(main())] == ["KeyError('a defect of ours')"]
