"""A rule that goes lets go of every call at once, whatever the calls are doing."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from upstreams import OK, End, Stand, post, run, standing, until

from chaos.proxies.rules import Rules

MIB = 2**20
BIG = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (4 * MIB) + b"x" * 4 * MIB
PUT = post(b'{"a": 1}')
SLOW = {"action": "bandwidth", "rate": 1000}


def rules(rule: dict[str, Any]) -> Rules:
    made = Rules()
    made.put("r", rule)
    return made


async def asked(stand: Stand) -> tuple[End, End]:
    """A client whose call has reached the upstream, and the upstream's end of it."""
    client = await stand.client()
    client.send(PUT)
    peer = await stand.peer()
    await peer.read(len(PUT))
    return client, peer


def test_a_rate_is_lifted_with_its_rule() -> None:
    async def test() -> None:
        async with standing(rules(SLOW)) as stand:
            client, peer = await asked(stand)
            peer.send(BIG)
            began = await client.read(1000)
            stand.proxy.rules.put("r", None)
            assert began + await client.read(len(BIG) - 1000) == BIG

    run(test())


def test_another_rate_takes_the_place_of_a_slow_one() -> None:
    async def test() -> None:
        async with standing(rules(SLOW)) as stand:
            client, peer = await asked(stand)
            peer.send(BIG)
            await client.read(200)
            stand.proxy.rules.put("r", SLOW | {"rate": 1e9})
            assert await client.read(len(BIG) - 200) == BIG[200:]

    run(test())


def test_twenty_slow_downloads_of_which_ten_clients_die_do_not_hold_their_rule() -> None:
    """What has hung Toxiproxy's control API for years: Shopify/toxiproxy, issue 159 and others."""

    async def test() -> None:
        async with standing(rules(SLOW)) as stand:
            pairs = [await asked(stand) for _ in range(20)]
            for _, peer in pairs:
                peer.send(BIG)
            for client, _ in pairs:
                await client.head()
            for client, _ in pairs[:10]:
                client.reset()
            stand.proxy.rules.put("r", None)
            assert stand.proxy.rules.get("r") is None
            for client, _ in pairs[10:]:
                await client.read(4 * MIB)
            await until(lambda: stand.proxy.connections == 10)
            assert stand.proxy.buffered == 0

    run(test())


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "error", "forward": True},
        {"action": "hang", "forward": True},
        {"action": "reset", "forward": True},
        {"action": "truncate", "after": 0},
        {"action": "reset", "after": 1},
    ],
    ids=lambda rule: str(rule["action"]),
)
def test_an_answer_that_was_to_be_lost_comes_when_its_rule_has_gone(rule: dict[str, Any]) -> None:
    async def test() -> None:
        async with standing(rules(rule)) as stand:
            client, peer = await asked(stand)
            stand.proxy.rules.put("r", None)
            peer.send(OK)
            assert await client.read(len(OK)) == OK

    run(test())


def test_an_answer_that_was_to_be_cut_comes_whole_when_its_rule_goes_before() -> None:
    async def test() -> None:
        async with standing(rules({"action": "truncate", "after": MIB})) as stand:
            client, peer = await asked(stand)
            peer.send(BIG[:1000])
            began = await client.read(1000)
            stand.proxy.rules.put("r", None)
            peer.send(BIG[1000:])
            assert began + await client.read(len(BIG) - 1000) == BIG

    run(test())


def test_clients_that_die_in_every_state_leave_nothing_behind() -> None:
    async def test() -> None:
        faults: list[dict[str, Any]] = [
            SLOW,
            {"action": "hang"},
            {"action": "delay", "seconds": 1000},
        ]
        faults.append({"action": "hang", "forward": True})
        for fault in faults:
            async with standing(rules(fault)) as stand:
                client = await stand.client()
                client.send(PUT)
                await until(lambda stand=stand: stand.proxy.rules.hits("r") == 1)  # type: ignore[misc]  # bound here
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        (await stand.peer()).send(BIG)
                client.reset()
                await until(lambda stand=stand: stand.proxy.connections == 0)  # type: ignore[misc]  # bound here
                stand.proxy.rules.put("r", None)

    run(test())
