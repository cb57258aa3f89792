"""The AWS API proxy carries out what the rules decide: on the request, or on its answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Coroutine
from typing import Any

import pytest
from upstreams import GET, OK, End, post, run, standing, until

from chaos.proxies.effect import Effect
from chaos.proxies.request import ApiRequest
from chaos.proxies.rules import Rules

BODY = bytes(range(256)) * 40
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
HEAD = len(ANSWER) - len(BODY)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PUT = post(b'{"a": 1}')
Heard = list[tuple[str | None, int]]


class Decided(Rules):
    """Decides as it is told, whatever is asked; each rule stands until it is put away."""

    def __init__(self, *effects: Effect) -> None:
        super().__init__()
        self.effects = effects
        for effect in effects:
            self.put(effect.rule, {"action": "hang"})

    def decide(self, request: ApiRequest, passed: Collection[str] = ()) -> Effect | None:
        standing = (e for e in self.effects if self.get(e.rule) and e.rule not in passed)
        return next(standing, None)


def effect(**given: Any) -> Effect:
    return Effect(**{"rule": "r", **given})


both_loops = pytest.mark.parametrize("fast", [False, True], ids=["asyncio", "uvloop"])


def played(
    decided: Effect,
    act: Callable[[End, End, Rules], Coroutine[Any, Any, None]],
    *,
    fast: bool = False,
) -> Heard:
    """Run `act` with a client, the upstream's end of its call, and the rules."""
    heard: Heard = []

    async def test() -> None:
        def seen(request: ApiRequest, _: bytes, status: int) -> None:
            heard.append((request.operation, status))

        rules = Decided(decided)
        async with standing(rules, seen) as stand:
            client = await stand.client()
            client.send(PUT)
            peer = await stand.peer()
            assert await peer.read(len(PUT)) == PUT
            await act(client, peer, rules)

    run(test(), fast=fast)
    return heard


@both_loops
@pytest.mark.parametrize("after", [1, 100, len(BODY) - 1])
def test_a_reset_comes_behind_so_many_bytes_of_the_answer_s_body(after: int, fast: bool) -> None:
    async def act(client: End, peer: End, _: Rules) -> None:
        peer.send(ANSWER)
        assert await client.read(HEAD + after) == ANSWER[: HEAD + after]
        with pytest.raises(ConnectionResetError):
            await client.read(1)
        assert await peer.gone()

    assert played(effect(action="reset", forward=True, after=after), act, fast=fast)


@both_loops
@pytest.mark.parametrize("after", [0, 1, 100, len(BODY) - 1])
def test_a_truncated_answer_ends_before_its_length(after: int, fast: bool) -> None:
    async def act(client: End, peer: End, _: Rules) -> None:
        peer.send(ANSWER[:50])
        peer.send(ANSWER[50:])
        assert await client.rest() == ANSWER[: HEAD + after]
        assert await peer.gone()

    assert played(effect(action="truncate", after=after), act, fast=fast)


def test_a_chunked_answer_is_cut_on_the_wire() -> None:
    async def act(client: End, peer: End, _: Rules) -> None:
        peer.send(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")
        assert await client.rest() == CHUNKED + b"5\r\nhel"

    played(effect(action="truncate", after=6), act)


@pytest.mark.parametrize("action", ["reset", "truncate"])
def test_an_answer_that_is_shorter_is_unharmed(action: str) -> None:
    async def act(client: End, peer: End, rules: Rules) -> None:
        rules.hit("r")
        peer.send(OK)
        assert await client.read(len(OK)) == OK
        assert rules.hits("r") == 0, "nobody has met that fault"
        rules.put("r", None)
        client.send(GET)
        assert await peer.head() == GET
        peer.send(OK)
        assert await client.read(len(OK)) == OK

    played(effect(action=action, forward=True, after=2), act)


@both_loops
def test_a_write_happens_and_its_answer_is_an_error(fast: bool) -> None:
    async def act(client: End, peer: End, rules: Rules) -> None:
        peer.send(ANSWER)
        assert (await client.head()).startswith(b"HTTP/1.1 500 ")
        said = json.loads(await client.reader.readuntil(b"}"))
        assert said == {"__type": "InternalFailure", "message": "lost"}
        rules.put("r", None)
        client.send(GET)  # on the connection that went on

    lost = effect(action="error", forward=True, status=500, code="InternalFailure", message="lost")
    assert played(lost, act, fast=fast) == [("PutItem", 200)]


@both_loops
def test_a_write_happens_and_its_answer_is_a_reset(fast: bool) -> None:
    async def act(client: End, peer: End, _: Rules) -> None:
        peer.send(ANSWER)
        with pytest.raises(ConnectionResetError):
            await client.read(1)

    assert played(effect(action="reset", forward=True), act, fast=fast) == [("PutItem", 200)]


def test_a_write_happens_and_its_answer_never_comes() -> None:
    async def act(client: End, peer: End, rules: Rules) -> None:
        peer.send(ANSWER)
        assert await peer.gone()
        rules.put("other", {"action": "hang"})
        rules.put("r", None)
        assert await client.rest() == b"", "the connection ends with the rule, without an answer"

    assert played(effect(action="hang", forward=True), act) == [("PutItem", 200)]


def test_an_error_follows_a_body_that_the_upstream_did_not_wait_for() -> None:
    async def test() -> None:
        put = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        async with standing(Decided(effect(action="error", forward=True))) as stand:
            client = await stand.client()
            client.send(put)
            peer = await stand.peer()
            await peer.head()
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.send(b"hello")
            assert await peer.read(5) == b"hello"
            peer.send(OK)
            head = await client.head()
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"Connection: close" not in head, "the body has been read: there is no doubt"

    run(test())


@both_loops
def test_a_reset_without_an_answer_comes_once_the_request_is_read(fast: bool) -> None:
    async def test() -> None:
        async with standing(Decided(effect(action="reset"))) as stand:
            client, big = await stand.client(), post(b"x" * 2**22)
            client.send(big[:-1])
            await until(lambda: client.writer.transport.get_write_buffer_size() == 0)
            assert stand.proxy.connections == 1
            client.send(b"x")
            with pytest.raises(ConnectionResetError):
                await client.rest()
            assert stand.peers.empty()

    run(test(), fast=fast)


def test_an_effect_may_come_late() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        async with standing(Decided(effect(action="refuse", delay=2.0))) as stand:
            client, asked = await stand.client(), loop.time()
            client.send(PUT)
            with pytest.raises(ConnectionResetError):
                await client.rest()
            assert loop.time() >= asked + 2.0
            assert stand.peers.empty()

    run(test(), speed=10)


@both_loops
def test_no_delay_is_shorter_than_it_was_asked_to_be(fast: bool) -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        async with standing(Decided(effect(delay=0.003))) as stand:
            client, peer = await stand.client(), None
            for _ in range(30):
                asked = loop.time()
                client.send(PUT)
                peer = peer or await stand.peer()
                await peer.read(len(PUT))
                # uvloop's clock counts whole milliseconds: one may just have begun.
                assert loop.time() - asked >= (0.002 if fast else 0.003)
                peer.send(OK)
                await client.read(len(OK))

    run(test(), fast=fast)


@both_loops
def test_an_answer_comes_at_its_rate(fast: bool) -> None:
    async def act(client: End, peer: End, _: Rules) -> None:
        loop = asyncio.get_running_loop()
        peer.send(ANSWER)
        began = loop.time()
        assert await client.read(HEAD) == ANSWER[:HEAD]
        assert await client.read(len(BODY)) == BODY
        assert loop.time() - began >= 0.9 * len(BODY) / 50_000
        client.send(PUT)
        assert await peer.read(len(PUT)) == PUT
        peer.send(OK)
        assert await client.read(len(OK)) == OK

    played(effect(rate=50_000), act, fast=fast)


def test_the_slower_of_two_rates_holds_and_a_slow_answer_may_be_cut() -> None:
    async def test() -> None:
        decided = Decided(
            effect(rule="a", rate=1e9),
            effect(rule="b", rate=20_000),
            effect(rule="c", action="truncate", after=4000),
        )
        loop = asyncio.get_running_loop()
        async with standing(decided) as stand:
            client = await stand.client()
            client.send(PUT)
            peer = await stand.peer()
            await peer.read(len(PUT))
            began = loop.time()
            peer.send(ANSWER)
            assert await client.rest() == ANSWER[: HEAD + 4000]
            assert loop.time() - began >= 0.9 * 4000 / 20_000

    run(test())


def test_a_slow_answer_that_breaks_off_upstream_ends_in_its_own_time() -> None:
    async def act(client: End, peer: End, _: Rules) -> None:
        peer.send(ANSWER[:-1])
        peer.close()
        assert await client.rest() == ANSWER[:-1]

    played(effect(rate=100_000), act)


def test_a_slow_answer_holds_back_the_upstream() -> None:
    async def test() -> None:
        async with standing(Decided(effect(rate=1000))) as stand:
            client = await stand.client()
            client.send(PUT)
            peer = await stand.peer()
            await peer.read(len(PUT))
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % 2**25)
            peer.send(b"x" * 2**25)
            await client.head()
            await client.read(100)
            assert stand.proxy.buffered <= 2**19
            assert peer.writer.transport.get_write_buffer_size() > 2**20

    run(test())
