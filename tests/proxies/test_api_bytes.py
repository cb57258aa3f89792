"""Whatever way the bytes come in, the same bytes come out at the other side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.loops import run_virtual
from chaos.proxies import passing
from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.connection import Connection
from chaos.proxies.upstream import Upstream

HOST = b"Host: h\r\n"
OTHERS = {"action": "error", "operations": ["NoneOfThese"]}


class Pipe:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def write_eof(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        raise AssertionError("so little is never too much")

    def get_write_buffer_size(self) -> int:
        return 0


def chunked(chunks: list[bytes]) -> bytes:
    said = b"".join(b"%x;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    return said + b"0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n"


def requests() -> st.SearchStrategy[tuple[bytes, bytes]]:
    """A request and the answer to it."""
    bodies = st.binary(max_size=200)
    chunks = st.lists(st.binary(max_size=30), max_size=5).map(chunked)
    post = bodies.map(
        lambda body: b"POST / HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (HOST, len(body), body)
    )
    put = chunks.map(
        lambda said: b"PUT /b/k HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n%b" % (HOST, said)
    )
    get = st.just(b"GET /b/k?list-type=2 HTTP/1.1\r\n%b\r\n" % HOST)
    sized = bodies.map(
        lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    refused = bodies.map(
        lambda body: b"HTTP/1.1 400 Bad\r\ncontent-length:%d\r\n\r\n%b" % (len(body), body)
    )
    streamed = chunks.map(
        lambda said: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + said
    )
    bare = st.sampled_from(
        [
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        ]
    )
    interim = sized.map(lambda rest: b"HTTP/1.1 100 Continue\r\n\r\n" + rest)
    usual = st.tuples(post | put | get, sized | refused | streamed | bare | interim)
    head = st.just(
        (b"HEAD / HTTP/1.1\r\n%b\r\n" % HOST, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    )
    return usual | head


@pytest.mark.parametrize("way", ["plain", "rules"])
def test_line_ends_between_requests_are_dropped(way: str) -> None:
    get = b"GET / HTTP/1.1\r\n%b\r\n" % HOST
    answer = b"HTTP/1.1 204 No Content\r\n\r\n"

    async def test() -> None:
        proxy, there = proxied(way), Pipe()
        connection, upstream = joined(proxy, Pipe(), there)
        for stray in (b"", b"\r\n", b"\r\n\r\n"):
            connection._upstream, there.written = upstream, b""
            connection.data_received(stray + get)
            assert there.written == get
            upstream.data_received(answer)
        assert proxy.requests == 3

    run_virtual(test())


def joined(proxy: ApiProxy, client: Pipe, there: Pipe) -> tuple[Connection, Upstream]:
    """A client's connection and the upstream's, which is not in use yet."""
    connection = Connection(proxy._door)
    connection.connection_made(client)  # type: ignore[arg-type]  # what a transport does is there
    upstream = Upstream(connection)
    upstream.connection_made(there)  # type: ignore[arg-type]  # as above
    return connection, upstream


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        if data[at : at + size]:
            yield data[at : at + size]
        at += size
    if data[at:]:
        yield data[at:]


@settings(max_examples=300)
@given(
    calls=st.lists(requests(), min_size=1, max_size=5),
    up=st.lists(st.integers(1, 300), max_size=12),
    down=st.lists(st.integers(1, 100), max_size=12),
    at_once=st.booleans(),
    way=st.sampled_from(["plain", "rules", "seen"]),
)
def test_any_split_gives_the_same_bytes(
    calls: list[tuple[bytes, bytes]], up: list[int], down: list[int], at_once: bool, way: str
) -> None:
    async def test() -> None:
        proxy, there, client = proxied(way), Pipe(), Pipe()
        connection, upstream = joined(proxy, client, there)

        async def dial(*_: Any) -> Upstream:
            return upstream

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(passing, "dial", dial)
            await play(connection, Answers(upstream, there, calls, down), calls, up, at_once)
        assert client.written == b"".join(answer for _, answer in calls)
        assert there.written == b"".join(request for request, _ in calls)
        assert proxy.requests == len(calls)
        assert proxy.buffered == 0
        connection.connection_lost(None)

    run_virtual(test())


def proxied(way: str) -> ApiProxy:
    """A proxy that nobody watches, one with rules, or one that tells what it saw."""
    proxy = ApiProxy(("127.0.0.1", 1), seen=(lambda *_: None) if way == "seen" else None)
    if way == "rules":
        proxy.rules.put("r", OTHERS)
    proxy._door.rules_changed()
    return proxy


class Answers:
    """Answers what has come whole, one call after another, in pieces."""

    def __init__(
        self, upstream: Upstream, came: Pipe, calls: list[tuple[bytes, bytes]], sizes: list[int]
    ) -> None:
        self._upstream, self._came, self._sizes = upstream, came, sizes
        self._calls = list(calls)
        self._due = 0

    async def say(self) -> None:
        while self._calls:
            due = self._due + len(self._calls[0][0])
            if len(self._came.written) < due:
                break
            assert len(self._came.written) == due, "the next goes when this is answered"
            for piece in pieces(self._calls.pop(0)[1], self._sizes):
                self._upstream.data_received(piece)
            self._due = due
            await asyncio.sleep(0)


async def play(
    connection: Connection,
    answers: Answers,
    calls: list[tuple[bytes, bytes]],
    sizes: list[int],
    at_once: bool,
) -> None:
    """Make the calls in pieces, one after another or all in one stream."""
    asked = [request for request, _ in calls]
    for group in [b"".join(asked)] if at_once else asked:
        for piece in pieces(group, sizes):
            connection.data_received(piece)
            await asyncio.sleep(0)
            await answers.say()
