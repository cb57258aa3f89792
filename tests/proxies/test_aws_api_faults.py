"""What the AWS API proxy does to calls that a rule means, and to no others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from upstreams import GET, OK, End, Stand, post, run, standing, until

from chaos.proxies.rules import Rules

EAST = post(b'{"a": 1}')
WEST = post(b'{"a": 1}', region=b"us-west-2")
HANG = {"action": "hang", "regions": ["us-east-1"]}
REFUSE = {"action": "refuse", "regions": ["us-east-1"]}
ERROR = {"action": "error", "code": "Throttling", "status": 400, "regions": ["us-east-1"]}


def rules(**given: Any) -> Rules:
    made = Rules()
    for name, rule in given.items():
        made.put(name, rule)
    return made


async def passes(client: End, stand: Stand, request: bytes) -> End:
    """Whether the request reaches a new connection upstream, and its answer the client."""
    client.send(request)
    peer = await stand.peer()
    assert await peer.read(len(request)) == request
    peer.send(OK)
    assert await client.read(len(OK)) == OK
    return peer


async def answer(client: End) -> tuple[bytes, bytes]:
    """Head and JSON body."""
    return await client.head(), await client.reader.readuntil(b"}")


@pytest.mark.parametrize("rule", [HANG, REFUSE, ERROR], ids=lambda rule: str(rule["action"]))
def test_a_fault_of_one_region_leaves_the_others_alone(rule: Any) -> None:
    async def test() -> None:
        async with standing(rules(r=rule)) as stand:
            east, west = await stand.client(), await stand.client()
            east.send(EAST)
            await until(lambda: stand.proxy.rules.hits("r") == 1)
            peer = await passes(west, stand, WEST)
            west.send(WEST)
            await peer.read(len(WEST))
            assert stand.peers.empty(), "no byte of the faulty call may reach the upstream"
            assert stand.proxy.rules.hits("r") == 1

    run(test())


@pytest.mark.parametrize("rule", [HANG, REFUSE, ERROR], ids=lambda rule: str(rule["action"]))
def test_the_second_call_of_a_connection_meets_the_rules_too(rule: Any) -> None:
    async def test() -> None:
        async with standing(rules(r=rule)) as stand:
            client = await stand.client()
            await passes(client, stand, WEST)
            client.send(EAST)
            await until(lambda: stand.proxy.rules.hits("r") == 1)

    run(test())


def test_a_call_that_hangs_is_read_and_closed_when_the_rule_goes_but_never_passed_on() -> None:
    async def test() -> None:
        async with standing(rules(r=HANG)) as stand:
            client, big = await stand.client(), post(b"x" * 2**23)
            client.send(big)
            await client.writer.drain()
            await until(lambda: client.writer.transport.get_write_buffer_size() == 0)
            assert stand.proxy.connections == 1
            assert stand.proxy.buffered < 2**20
            stand.proxy.rules.put("r", HANG)  # the same again: it stays
            stand.proxy.rules.put("other", REFUSE)
            assert stand.proxy.connections == 1
            stand.proxy.rules.put("r", None)
            assert await client.gone()
            assert stand.peers.empty()

    run(test())


def test_a_call_that_hangs_lets_go_of_its_upstream() -> None:
    async def test() -> None:
        async with standing(rules(r=HANG)) as stand:
            client = await stand.client()
            peer = await passes(client, stand, WEST)
            client.send(EAST)
            assert await peer.gone()
            assert stand.proxy.connections == 1, "but the client is held"

    run(test())


def test_a_client_that_gives_up_is_let_go() -> None:
    async def test() -> None:
        slow = {"action": "delay", "seconds": 1000}
        for rule in (HANG, slow):
            async with standing(rules(r=rule)) as stand:
                client = await stand.client()
                client.send(EAST)
                await until(lambda stand=stand: stand.proxy.rules.hits("r") == 1)  # type: ignore[misc]  # bound here
                client.close()
                await until(lambda stand=stand: stand.proxy.connections == 0)  # type: ignore[misc]  # bound here

    run(test())


def test_a_refused_call_is_reset() -> None:
    async def test() -> None:
        async with standing(rules(r=REFUSE)) as stand:
            client = await stand.client()
            client.send(EAST)
            with pytest.raises(ConnectionResetError):
                await client.rest()

    run(test())


def test_an_error_is_answered_and_the_connection_goes_on() -> None:
    async def test() -> None:
        async with standing(rules(r=ERROR)) as stand:
            client = await stand.client()
            client.send(post(b"x" * 2**23) + EAST)
            for _ in range(2):
                head, body = await answer(client)
                assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
                assert body == (
                    b'{"__type": "Throttling", "message": "fault injected by the rule \'r\'"}'
                )
            await passes(client, stand, WEST)

    run(test())


def test_an_error_waits_for_no_body_that_waits_for_it() -> None:
    async def test() -> None:
        expecting = post(b"x" * 9, b"Expect: 100-continue")[:-9]
        async with standing(rules(r=ERROR)) as stand:
            for late in (b"", b"x" * 9):  # the client may send the body or not
                client = await stand.client()
                client.send(expecting)
                head, _ = await answer(client)
                assert b"\r\nConnection: close\r\n" in head
                client.send(late)
                assert await client.rest() == b""

    run(test())


def test_an_error_to_a_client_that_keeps_nothing_alive_is_the_last_word() -> None:
    async def test() -> None:
        async with standing(rules(r=ERROR)) as stand:
            client = await stand.client()
            client.send(post(b"{}", b"Connection: close"))
            assert b"Throttling" in await client.rest()

    run(test())


def test_who_reads_no_answers_is_not_read_either() -> None:
    async def test() -> None:
        async with standing(rules(r={"action": "error"})) as stand:
            client = await stand.client()
            client.reader._transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's
            client.send(GET * 500_000)
            await until(lambda: stand.proxy.buffered > 2**16)
            assert stand.proxy.buffered < 2**22

    run(test())


def test_a_delayed_call_is_passed_on_after_its_time_and_blocks_no_other() -> None:
    async def test() -> None:
        slow = {"action": "delay", "seconds": 2.5, "regions": ["us-east-1"]}
        loop = asyncio.get_running_loop()
        async with standing(rules(r=slow)) as stand:
            east, west = await stand.client(), await stand.client()
            asked = loop.time()
            east.send(EAST)
            await until(lambda: stand.proxy.rules.hits("r") == 1)
            await passes(west, stand, WEST)
            assert stand.peers.empty()
            peer = await stand.peer()
            assert loop.time() >= asked + 2.5
            assert await peer.read(len(EAST)) == EAST
            assert stand.proxy.rules.hits("r") == 1

    run(test(), speed=10)


def test_a_delayed_upload_is_held_back_not_kept() -> None:
    async def test() -> None:
        async with standing(rules(r={"action": "delay", "seconds": 2})) as stand:
            client, big = await stand.client(), post(b"x" * 2**24)
            client.send(big)
            await until(lambda: stand.proxy.rules.hits("r") == 1)
            peer = await stand.peer()
            assert stand.proxy.buffered < 2**20
            assert await peer.read(len(big)) == big

    run(test(), speed=10)


@pytest.mark.parametrize("then", [None, {"action": "delay", "seconds": 0, "regions": ["x"]}])
def test_a_delay_ends_with_its_rule(then: Any) -> None:
    async def test() -> None:
        async with standing(rules(r={"action": "delay", "seconds": 100_000})) as stand:
            client = await stand.client()
            client.send(EAST)
            await until(lambda: stand.proxy.rules.hits("r") == 1)
            stand.proxy.rules.put("r", then)
            assert await (await stand.peer()).read(len(EAST)) == EAST

    run(test())


def test_a_delayed_call_meets_the_other_rules_when_its_time_has_come() -> None:
    async def test() -> None:
        slow = {"action": "delay", "seconds": 0.5}
        async with standing(rules(slow=slow, slower=slow)) as stand:
            client = await stand.client()
            client.send(EAST)
            await until(lambda: stand.proxy.rules.hits("slow") == 1)
            stand.proxy.rules.put("r", REFUSE)
            with pytest.raises(ConnectionResetError):
                await client.rest()
            assert [stand.proxy.rules.hits(id_) for id_ in ("slow", "slower", "r")] == [1, 1, 1]
            assert stand.peers.empty()

    run(test(), speed=10)


def test_a_form_in_pieces_is_judged_by_its_action() -> None:
    async def test() -> None:
        form = b"Version=2016-11-15&Action=RunInstances&Padding=" + b"x" * 5000
        head = (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n" % len(form)
        )
        rule = {"action": "refuse", "operations": ["RunInstances"]}
        async with standing(rules(r=rule)) as stand:
            client = await stand.client()
            client.send(head + form[:30])
            await until(lambda: stand.proxy.requests == 1)
            client.send(form[30:4000])
            await until(lambda: stand.proxy.buffered == 4000)
            client.send(form[4000:4100])
            with pytest.raises(ConnectionResetError):
                await client.rest()

    run(test())


def test_stopping_ends_what_is_held() -> None:
    async def test() -> None:
        slow = {"action": "delay", "seconds": 1000, "regions": ["us-west-2"]}
        async with standing(rules(hang=HANG, slow=slow)) as stand:
            ends = [await stand.client() for _ in range(2)]
            for end, request in zip(ends, (EAST, WEST), strict=True):
                end.send(request)
            await until(
                lambda: stand.proxy.rules.hits("slow") + stand.proxy.rules.hits("hang") == 2
            )
            await stand.proxy.stop()
            assert all([await end.gone() for end in ends])
            assert stand.proxy.rules.on_change == []

    run(test())
