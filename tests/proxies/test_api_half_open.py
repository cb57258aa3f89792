"""Connections of which one side has said all, or died, and what the other side sees of it."""

from __future__ import annotations

import pytest
from upstreams import GET, OK, post, run, standing, until

LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
HEAD = b"HEAD /b/k HTTP/1.1\r\nHost: h\r\n\r\n"

both_loops = pytest.mark.parametrize("fast", [False, True], ids=["asyncio", "uvloop"])


@both_loops
@pytest.mark.parametrize("kept_alive", [False, True])
def test_a_client_that_has_said_all_still_gets_its_answer(kept_alive: bool, fast: bool) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            if kept_alive:
                client.send(GET)
                peer = await stand.peer()
                await peer.head()
                peer.send(OK)
                await client.read(len(OK))
            client.send(post(b"{}"))
            client.writer.write_eof()
            peer = peer if kept_alive else await stand.peer()
            assert await peer.rest() == post(b"{}"), "its end is passed on too"
            peer.send(OK)
            assert await client.rest() == OK
            await until(lambda: stand.proxy.connections == 0)

    run(test(), fast=fast)


def test_all_that_was_pipelined_before_the_end_is_answered() -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(GET + HEAD + post(b"{}"))
            client.writer.write_eof()
            peer = await stand.peer()
            for request, answer in ((GET, OK), (HEAD, OK[:-2]), (post(b"{}"), OK)):
                assert await peer.read(len(request)) == request
                peer.send(answer)
            assert await client.rest() == OK + OK[:-2] + OK

    run(test())


@both_loops
def test_a_client_that_ends_within_a_request_takes_its_upstream_along(fast: bool) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(post(b"hello")[:-2])
            peer = await stand.peer()
            await peer.read(len(post(b"hello")) - 2)
            client.writer.write_eof()
            assert await peer.gone()
            await until(lambda: stand.proxy.connections == 0)

    run(test(), fast=fast)


@both_loops
def test_nothing_follows_an_answer_that_says_it_is_the_last(fast: bool) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(GET + GET)
            peer = await stand.peer()
            assert await peer.head() == GET
            peer.send(LAST)
            assert await client.rest() == LAST
            assert await peer.gone()
            assert peer.reader._buffer == b"", "and the second call was never made"  # type: ignore[attr-defined]  # asyncio's

    run(test(), fast=fast)


@both_loops
def test_a_call_on_a_connection_that_died_unseen_is_made_once(fast: bool) -> None:
    """It may have been executed: the client is told, and nobody makes it a second time."""

    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            peer = await stand.peer()
            await peer.head()
            peer.send(OK)
            await client.read(len(OK))
            client.send(post(b"{}"))
            assert await peer.read(len(post(b"{}"))) == post(b"{}")
            peer.reset()
            assert (await client.head()).startswith(b"HTTP/1.1 502 ")
            assert b"reset the connection" in await client.reader.readuntil(b'"}')
            assert stand.peers.empty()
            client.send(GET)
            assert await (await stand.peer()).head() == GET, "the next call has a new connection"

    run(test(), fast=fast)


@both_loops
@pytest.mark.parametrize("status", [b"403 Forbidden", b"413 Too Large"])
def test_an_early_answer_reaches_a_client_that_uploads_on(status: bytes, fast: bool) -> None:
    async def test() -> None:
        answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nno"
        async with standing() as stand:
            client, size = await stand.client(), 2**22
            client.send(b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
            peer = await stand.peer()
            await peer.head()
            peer.send(answer)
            assert await client.read(len(answer)) == answer
            client.send(b"x" * size + GET)
            assert await peer.read(size) == b"x" * size
            assert await peer.head() == GET, "the connection goes on"
            peer.send(OK)
            assert await client.read(len(OK)) == OK

    run(test(), fast=fast)
