"""No request can be read as two, or two as one: what could be is refused and goes nowhere.

RFC 9112, sections 2.2, 5.2, 6.1 and 6.3.
"""

from __future__ import annotations

import pytest
from upstreams import GET, OK, run, standing

INSIDE = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
TWICE = b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
ATTACKS = {
    "two lengths": POST + TWICE,
    "the same length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\nhello",
    "a length in hex": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "no length": POST + b"Content-Length:\r\n\r\n",
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "chunks, but not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "nearly chunks": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks twice": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "chunks behind a tab": POST + b"Transfer-Encoding:\tchunked\t\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 5\r\n\r\nhello",
    "a folded header": POST + b"X: y\r\n Content-Length: 5\r\n\r\n",
    "a folded length": POST + b"Content-Length:\r\n 5\r\n\r\nhello",
    "a bare line feed": POST + b"X: y\nContent-Length: 5\r\n\r\nhello",
    "a bare carriage return": POST + b"X: y\rContent-Length: 5\r\n\r\nhello",
    "line feeds only": b"GET / HTTP/1.1\nHost: h\n\n" + INSIDE,
    "a null": POST + b"X: \x00\r\n\r\n",
    "a chunk longer than its size": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxyy0\r\n\r\n" + INSIDE
    ),
    "a chunk that ends with a line feed": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n\r\n" + INSIDE
    ),
    "a size behind a line feed": POST + b"Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
    "a size that overflows": POST + b"Transfer-Encoding: chunked\r\n\r\n%b1\r\n" % (b"0" * 16),
}


@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_could_be_read_in_two_ways_is_refused(attack: bytes, later: bool) -> None:
    async def test() -> None:
        async with standing() as stand:
            client, peer = await stand.client(), None
            if later:
                client.send(GET)
                peer = await stand.peer()
                await peer.head()
                peer.send(OK)
                await client.read(len(OK))
            client.send(attack)
            assert (await client.rest()).startswith(b"HTTP/1.1 400 ")
            if peer is None and not stand.peers.empty():
                peer = await stand.peer()
            if peer:
                await peer.gone()
                assert b"smuggled" not in peer.reader._buffer  # type: ignore[attr-defined]  # asyncio's

    run(test())


def test_what_follows_a_head_that_says_no_length_is_the_next_request() -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(POST + b"\r\n" + INSIDE)
            peer = await stand.peer()
            assert await peer.head() == POST + b"\r\n"
            peer.send(OK)
            assert await client.read(len(OK)) == OK
            assert await peer.head() == INSIDE
            assert stand.proxy.requests == 2

    run(test())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n",
    ],
)
def test_an_answer_that_could_be_read_in_two_ways_is_none(answer: bytes) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            for _ in range(2):
                client.send(GET)
                peer = await stand.peer()
                await peer.head()
                peer.send(OK)
                assert await client.read(len(OK)) == OK
                client.send(GET)
                await peer.head()
                peer.send(answer)
                assert (await client.head()).startswith(b"HTTP/1.1 502 ")
                await client.reader.readuntil(b'"}')
                client = await stand.client()

    run(test())
