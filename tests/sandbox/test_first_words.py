"""A client's first words tell the host that it means, and are still there for who reads them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence

import pytest

from chaos.loops import run_at
from chaos.sandbox.first_words import FirstWords, first_words, server_name

NAME = "dynamodb.us-east-1.amazonaws.com"


def hello(name: str | None) -> bytes:
    """What Python's TLS client says first."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    said = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), said, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return said.read()


def heard(parts: Sequence[bytes]) -> tuple[FirstWords, bytes]:
    """What is made of words that come in parts, and what can be read afterwards."""

    async def scenario() -> tuple[FirstWords, bytes]:
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                task = group.create_task(first_words(near))
                for part in parts:
                    far.sendall(part)
                    await asyncio.sleep(0)
            return task.result(), near.recv(1 << 16)

    return run_at(1, scenario())


def test_the_name_in_a_tls_hello_is_read() -> None:
    assert server_name(hello(NAME)) == NAME


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x00\x05hello", hello(NAME)[:80]])
def test_what_is_no_whole_hello_has_no_name(said: bytes) -> None:
    assert server_name(said) is None


def test_a_hello_without_a_name_is_tls_to_nobody() -> None:
    said = hello(None)
    assert heard([said]) == (FirstWords(None, tls=True), said)


def test_a_hello_is_awaited_whole_and_left_where_it_is() -> None:
    said = hello(NAME)
    # TCP: a Unix socket has no low-water mark that `poll` would look at.
    assert over_tcp([said[:3], said[3:100], said[100:]]) == (FirstWords(NAME, tls=True), said)


def over_tcp(parts: Sequence[bytes]) -> tuple[FirstWords, bytes]:
    async def scenario() -> tuple[FirstWords, bytes]:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as far:
            far.connect(server.getsockname())
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            near, _ = server.accept()
            with near:
                near.setblocking(False)
                task = loop.create_task(first_words(near))
                for part in parts:
                    assert not task.done()
                    far.sendall(part)
                    await asyncio.sleep(0.01)  # time to be woken too early, were it ever
                async with asyncio.timeout(10):
                    return await task, near.recv(1 << 16)

    return run_at(1, scenario())


def test_the_host_of_a_plain_request_is_read() -> None:
    said = b"GET / HTTP/1.1\r\nAccept: */*\r\nhOsT:  s3.amazonaws.com:80\r\n\r\n"
    assert heard([said]) == (FirstWords("s3.amazonaws.com", tls=False), said)


@pytest.mark.parametrize("said", [b"GET / HTTP/1.0\r\n\r\n", b"\x00\x01\x02", b"EHLO x\r\n"])
def test_who_names_no_host_means_nobody(said: bytes) -> None:
    assert heard([said]) == (FirstWords(None, tls=False), said)
