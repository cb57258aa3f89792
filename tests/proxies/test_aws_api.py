"""The AWS API proxy passes HTTP on unharmed, byte for byte, in whatever pieces it comes."""

from __future__ import annotations

import asyncio
import re

import pytest
from upstreams import GET, OK, post, run, standing, until

CHUNKED = (
    b"PUT /b/k HTTP/1.1\r\nhost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n1;x\r\n!\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n"
)
FORM = (
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 43\r\n\r\nAction=DescribeInstances&Version=2016-11-15"
)
MIB = 2**20


@pytest.mark.parametrize("request_", [post(b'{"a": 1}'), CHUNKED], ids=["sized", "chunked"])
def test_a_request_may_be_cut_at_every_byte(request_: bytes) -> None:
    async def test() -> None:
        async with standing() as stand:
            client, peer = await stand.client(), None
            head = request_.index(b"\r\n\r\n") + 4
            for cut in range(1, len(request_)):
                client.send(request_[:cut])
                if cut < head:
                    await until(lambda cut=cut: stand.proxy.buffered == cut)  # type: ignore[misc]  # bound here
                client.send(request_[cut:] if cut < head else b"")
                peer = peer or await stand.peer()
                if cut >= head:
                    assert await peer.read(cut) == request_[:cut]
                    client.send(request_[cut:])
                rest = request_ if cut < head else request_[cut:]
                assert await peer.read(len(rest)) == rest
                peer.send(OK)
                assert await client.read(len(OK)) == OK

    run(test())


@pytest.mark.parametrize(
    ("response", "heads"),
    [
        (b"HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 5\r\n\r\nhello", 1),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\na: b\r\n\r\n",
            1,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nx: y\r\n\r\n", 2),
    ],
    ids=["sized", "chunked", "interim"],
)
def test_a_response_may_be_cut_at_every_byte(response: bytes, heads: int) -> None:
    async def test() -> None:
        ends = [found.end() for found in re.finditer(b"\r\n\r\n", response)][:heads]
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            peer = await stand.peer()
            for cut in range(1, len(response)):
                await peer.head()
                peer.send(response[:cut])
                passed = cut if cut >= ends[-1] else max((e for e in ends if e <= cut), default=0)
                assert await client.read(passed) == response[:passed]
                await until(lambda held=cut - passed: stand.proxy.buffered == held)  # type: ignore[misc]  # bound here
                peer.send(response[cut:])
                assert await client.read(len(response) - passed) == response[passed:]
                client.send(GET)

    run(test())


def test_pipelined_requests_are_answered_in_order_one_at_a_time() -> None:
    async def test() -> None:
        requests = [post(b"x" * size) for size in range(5)] + [FORM, CHUNKED, GET]
        async with standing() as stand:
            client = await stand.client()
            client.send(b"".join(requests))
            peer = await stand.peer()
            rest = sum(map(len, requests))
            for number, request in enumerate(requests):
                assert await peer.read(len(request)) == request
                rest -= len(request)
                assert stand.proxy.buffered == rest, "the next may not go before this is answered"
                response = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number
                peer.send(response)
                assert await client.read(len(response)) == response
            assert stand.proxy.requests == len(requests)

    run(test())


def test_a_client_that_pipelines_without_end_is_held_back() -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(GET * (16 * MIB // len(GET)))
            peer = await stand.peer()
            for _ in range(1000):
                await peer.head()
                peer.send(OK)
                assert stand.proxy.buffered < MIB
            assert await client.read(len(OK) * 1000) == OK * 1000

    run(test())


def test_expect_continue_waits_for_the_upstream_s_word() -> None:
    async def test() -> None:
        head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        async with standing() as stand:
            client = await stand.client()
            client.send(head)
            peer = await stand.peer()
            assert await peer.head() == head
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.send(b"hello")
            assert await peer.read(5) == b"hello"
            peer.send(OK)
            assert await client.read(len(OK)) == OK

    run(test())


@pytest.mark.parametrize(
    ("method", "response"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n"),
        (b"DELETE", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n"),
    ],
)
def test_a_response_without_a_body_ends_with_its_head(method: bytes, response: bytes) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n")
            peer = await stand.peer()
            await peer.head()
            peer.send(response)
            assert await client.read(len(response)) == response
            client.send(GET)
            assert await peer.head() == GET
            peer.send(OK)
            assert await client.read(len(OK)) == OK

    run(test())


def test_a_response_without_a_length_ends_with_the_connection() -> None:
    async def test() -> None:
        response = b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\n" + b"x" * MIB
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            peer = await stand.peer()
            await peer.head()
            peer.send(response)
            peer.close()
            assert await client.rest() == response

    run(test())


def test_64_mib_up_and_down_are_never_held() -> None:
    async def test() -> None:
        size, piece, most = 64 * MIB, b"x" * 65536, 0
        async with standing() as stand:
            client = await stand.client()
            client.send(b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
            peer = await stand.peer()
            await peer.head()

            async def pour(writer: asyncio.StreamWriter) -> None:
                for _ in range(size // len(piece)):
                    writer.write(piece)
                    await writer.drain()

            async def drink(reader: asyncio.StreamReader) -> None:
                nonlocal most
                left = size
                while left:
                    left -= len(await reader.read(min(left, 2**18)))
                    most = max(most, stand.proxy.buffered)

            await asyncio.gather(pour(client.writer), drink(peer.reader))
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            await client.head()
            await asyncio.gather(pour(peer.writer), drink(client.reader))
        assert most < MIB

    run(test())


@pytest.mark.parametrize("upwards", [True, False])
def test_who_does_not_read_stops_who_sends(upwards: bool) -> None:
    async def test() -> None:
        head = b"Content-Length: %d\r\n\r\n" % (64 * MIB)
        async with standing() as stand:
            client = await stand.client()
            client.send(b"PUT / HTTP/1.1\r\nHost: h\r\n" + (head if upwards else b"\r\n"))
            peer = await stand.peer()
            await peer.head()
            if not upwards:
                peer.send(b"HTTP/1.1 200 OK\r\n" + head)
            sender = client if upwards else peer
            (peer if upwards else client).reader._transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's
            sender.send(b"x" * 64 * MIB)
            await until(lambda: stand.proxy.buffered > 64 * 1024)  # what pauses the sender
            held = sender.writer.transport.get_write_buffer_size()
            assert held + stand.proxy.buffered > 32 * MIB, "the rest fills the kernel's buffers"
            assert stand.proxy.buffered < MIB

    run(test())
