"""How connections through the AWS API proxy end, and what the client is told of it."""

from __future__ import annotations

import asyncio
import socket

import pytest
from upstreams import GET, OK, post, run, standing, until

from chaos.proxies import upstream as upstream_module
from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.framing import MAX_HEAD
from chaos.proxies.upstream import Upstream

MIB = 2**20


@pytest.mark.parametrize("sent", [post(b"hello")[:-2], post(b"hello")], ids=["asking", "waiting"])
def test_a_client_that_goes_takes_its_upstream_along(sent: bytes) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(sent)
            peer = await stand.peer()
            await peer.read(len(sent))
            client.close()
            assert await peer.gone()
            peer.close()
            await until(lambda: stand.proxy.connections == 0)

    run(test())


def test_an_upstream_that_ends_an_idle_connection_ends_the_client_s() -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            peer = await stand.peer()
            await peer.head()
            peer.send(OK)
            peer.close()
            assert await client.rest() == OK

    run(test())


def test_an_upstream_that_breaks_off_leaves_a_response_short() -> None:
    async def test() -> None:
        part = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            peer = await stand.peer()
            await peer.head()
            peer.send(part)
            peer.close()
            assert await client.rest() == part

    run(test())


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"", b"closed the connection without an answer"),
        (b"HTTP/1.1 2", b"closed the connection without an answer"),
        (b"\x15\x03\x01\r\n\r\n", b"answered with what is no HTTP response"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            b"answered with what is no HTTP response",
        ),
    ],
)
def test_an_upstream_without_an_answer_is_a_bad_gateway(says: bytes, why: bytes) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(post(b"{}"))
            peer = await stand.peer()
            await peer.read(len(post(b"{}")))
            peer.send(says)
            peer.close()
            assert (await client.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
            assert why in await client.reader.readuntil(b"}")

    run(test())


def test_an_upstream_that_is_down_is_a_bad_gateway_until_it_is_up() -> None:
    async def test() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = free.getsockname()
            proxy = ApiProxy(address)
            reader, writer = await asyncio.open_connection("127.0.0.1", await proxy.start())
            writer.write(post(b"x" * MIB))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
            text = (await reader.readuntil(b"}")).decode()
            assert f"at 127.0.0.1:{address[1]}, cannot be reached: Connection refused" in text

            async def serve(_: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
                out.write(OK)
                out.close()

            free.listen()
            server = await asyncio.start_server(serve, sock=free)
            writer.write(GET)
            assert await reader.read() == OK
            await proxy.stop()
            writer.close()
            server.close()

    run(test())


def test_a_refusal_reaches_a_client_that_is_still_sending() -> None:
    async def test() -> None:
        refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
        async with standing() as stand:
            client = await stand.client()
            client.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
            client.send(b"x" * MIB)
            peer = await stand.peer()
            await peer.head()
            peer.send(refusal)
            peer.writer.write_eof()
            assert await client.rest() == refusal

    run(test())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nx: " + b"y" * MAX_HEAD, b"431"),
        (b"\x16\x03\x01\x02\x00 TLS\r\n\r\n", b"400"),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", b"400"),
    ],
)
def test_what_cannot_be_read_is_refused(sent: bytes, status: bytes) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(sent)
            response = await client.rest()
            assert response.startswith(b"HTTP/1.1 " + status)
            assert b"the proxy of the AWS API cannot read this request: " in response

    run(test())


def test_an_upstream_that_says_more_than_was_asked_is_dropped() -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            peer = await stand.peer()
            await peer.head()
            peer.send(OK + OK)
            assert await client.rest() == OK

    run(test())


def test_stopping_ends_everything_at_once() -> None:
    async def test() -> None:
        async with standing() as stand:
            idle, busy = await stand.client(), await stand.client()
            busy.send(GET)
            peer = await stand.peer()
            await peer.head()
            await until(lambda: stand.proxy.connections == 2)
            await stand.proxy.stop()
            assert stand.proxy.connections == 0
            assert all([await end.gone() for end in (idle, busy, peer)])
            with pytest.raises(ConnectionRefusedError):
                await stand.client()

    run(test())


def test_an_upstream_that_speaks_unasked_is_dropped() -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            peer = await stand.peer()
            await peer.head()
            peer.send(OK)
            assert await client.read(len(OK)) == OK
            peer.send(OK)
            assert await client.rest() == b""

    run(test())


@pytest.mark.parametrize("delayed", [True, False])
def test_an_upstream_that_goes_while_a_request_comes_is_replaced(delayed: bool) -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            peer = await stand.peer()
            await peer.head()
            peer.send(OK)
            assert await client.read(len(OK)) == OK
            if delayed:
                stand.proxy.rules.put("r", {"action": "delay", "seconds": 1000})
            client.send(GET if delayed else GET[:9])
            await until(lambda: stand.proxy.requests == 2 or stand.proxy.buffered == 9)
            peer.close()
            await until(peer.reader.at_eof)
            stand.proxy.rules.put("r", None)
            client.send(b"" if delayed else GET[9:])
            peer = await stand.peer()
            assert await peer.head() == GET
            peer.send(OK)
            assert await client.read(len(OK)) == OK

    run(test())


def test_a_body_that_breaks_after_its_answer_has_begun_ends_the_connection() -> None:
    async def test() -> None:
        async with standing() as stand:
            client = await stand.client()
            client.send(b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            peer = await stand.peer()
            await peer.head()
            peer.send(OK)
            assert await client.read(len(OK)) == OK
            client.send(b"no size\r\n")
            assert await client.gone()
            assert await peer.gone()

    run(test())


@pytest.mark.parametrize("stopped", [True, False])
def test_a_connection_that_is_being_made_is_given_up_with_its_client(
    stopped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async def never(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr("chaos.proxies.passing.dial", never)
        async with standing() as stand:
            client = await stand.client()
            client.send(GET)
            await until(lambda: stand.proxy.requests == 1)
            if stopped:
                await stand.proxy.stop()
            client.reset()
            await until(lambda: stand.proxy.connections == 0)

    run(test())


def test_an_upstream_that_is_gone_as_soon_as_it_is_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Gone(Upstream):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.drop()

    async def test() -> None:
        monkeypatch.setattr(upstream_module, "Upstream", Gone)
        async with standing() as stand:
            client = await stand.client()
            client.send(post(b"{}"))
            assert (await client.head()).startswith(b"HTTP/1.1 502 ")
            assert b"closed the connection at once" in await client.reader.readuntil(b"}")

    run(test())
