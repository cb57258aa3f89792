"""Requests to the proxy itself: read to a limit, answered here, and the connection goes on."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from upstreams import GET, OK, run, standing

from chaos.proxies.exchange import MAX_ADMIN

Asked = list[tuple[bytes, bytes, bytes, Mapping[bytes, bytes]]]
DOOR = b"/_chaos/rules"


class Echo:
    """Says the body back."""

    def __init__(self) -> None:
        self.asked: Asked = []

    def __call__(
        self, method: bytes, target: bytes, body: bytes, headers: Mapping[bytes, bytes]
    ) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((method, target, body, headers))
        return 200, {"Content-Type": "text/plain"}, b"<" + body + b">"


def put(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"PUT %b?a=b HTTP/1.1\r\nHost: h\r\n%b\r\n%b" % (DOOR, lines, body)


@pytest.mark.parametrize(
    "request_",
    [
        put(b"[1]", b"Content-Length: 3"),
        put(b"3\r\n[1]\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
    ],
    ids=["sized", "chunked"],
)
def test_the_door_answers_and_the_next_call_passes(request_: bytes) -> None:
    echo = Echo()

    async def test() -> None:
        async with standing(admin=echo) as stand:
            client, peer = await stand.client(), None
            for cut in (len(request_), 40, len(request_) - 2):
                client.send(request_[:cut])
                client.send(request_[cut:])
                head = await client.head()
                assert head.startswith(b"HTTP/1.1 200 OK\r\n")
                assert b"Content-Length: 5\r\n" in head
                assert await client.read(5) == b"<[1]>"
                client.send(GET)
                peer = peer or await stand.peer()
                assert await peer.head() == GET
                peer.send(OK)
                assert await client.read(len(OK)) == OK

    run(test())
    assert [(m, t, b) for m, t, b, _ in echo.asked] == [(b"PUT", DOOR + b"?a=b", b"[1]")] * 3
    assert echo.asked[0][3][b"host"] == b"h"


@pytest.mark.parametrize(
    "request_",
    [
        put(b"", b"Content-Length: %d" % (MAX_ADMIN + 1)),
        put(b"", b"Content-Length: %d" % (MAX_ADMIN + 1), b"Expect: 100-continue"),
        put(b"200000\r\n" + b"x" * (MAX_ADMIN + 1), b"Transfer-Encoding: chunked"),
    ],
    ids=["sized", "expecting", "chunked"],
)
def test_a_body_beyond_the_limit_is_refused(request_: bytes) -> None:
    echo = Echo()

    async def test() -> None:
        async with standing(admin=echo) as stand:
            client = await stand.client()
            client.send(request_)
            assert (await client.rest()).startswith(b"HTTP/1.1 413 ")

    run(test())
    assert not echo.asked


def test_a_body_of_the_limit_that_waits_is_asked_for() -> None:
    async def test() -> None:
        size = b"Content-Length: %d" % MAX_ADMIN
        async with standing(admin=Echo()) as stand:
            client = await stand.client()
            client.send(put(b"", size, b"Expect: 100-continue"))
            assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.send(b"x" * MAX_ADMIN)
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")
            assert len(await client.read(MAX_ADMIN + 2)) == MAX_ADMIN + 2

    run(test())


def test_without_a_door_such_a_path_passes_as_any_other() -> None:
    async def test() -> None:
        async with standing() as stand:
            client, request = await stand.client(), put(b"[1]", b"Content-Length: 3")
            client.send(request)
            assert await (await stand.peer()).read(len(request)) == request

    run(test())


def test_a_rule_for_everything_does_not_shut_the_door() -> None:
    async def test() -> None:
        async with standing(admin=Echo()) as stand:
            stand.proxy.rules.put("r", {"action": "hang"})
            client = await stand.client()
            client.send(put(b"[1]", b"Content-Length: 3"))
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")

    run(test())
