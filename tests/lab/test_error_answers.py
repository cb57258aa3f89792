"""The tiny HTTP server of a link that fails: one request, one status, and nothing is torn off."""

from __future__ import annotations

import asyncio
import http.client

import pytest

from chaos.lab import error_answers
from chaos.lab.error_answers import LONGEST_HEAD, answer
from chaos.loops import run_virtual

BODY = b'{"error": "502 Bad Gateway"}\n'


async def ask(request: bytes, *more: bytes) -> tuple[bytes, int]:
    """All that comes back until the end, and how often the server said that it has answered."""
    reader = asyncio.StreamReader()
    said: list[int] = []
    made = asyncio.get_running_loop().create_future()

    class Client(asyncio.StreamReaderProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            made.set_result(transport)

    protocol = Client(reader)
    await error_answers.connect(lambda: protocol, 502, lambda: said.append(1))
    transport: asyncio.Transport = await made
    for part in (request, *more):
        transport.write(part)
        await asyncio.sleep(0.01)
    answered = await reader.read()
    transport.close()
    await asyncio.sleep(0.01)  # the other end goes in the loop's next rounds
    return answered, len(said)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        ([b"GET /home HTTP/1.1\r\nHost: x\r\n\r\n"], BODY),
        ([b"GET /home HT", b"TP/1.1\r\nHost: x\r\n\r", b"\n"], BODY),
        ([b"HEAD /home HTTP/1.1\r\nHost: x\r\n\r\n"], b""),
        ([b"POST / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n", b"x" * 5_000_000], BODY),
        ([b"GET /", b"x" * LONGEST_HEAD], BODY),
    ],
    ids=["get", "in pieces", "head", "a large body", "no end of the head"],
)
def test_every_request_is_answered_once_and_whole(request_: list[bytes], body: bytes) -> None:
    answered, times = run_virtual(ask(*request_))
    head, _, found = answered.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert (found, times) == (body, 1)


@pytest.mark.parametrize("status", [400, 418, 499, 503, 599])
def test_an_answer_is_http_whatever_the_status(status: int) -> None:
    head, _, body = answer(status).partition(b"\r\n\r\n")
    reason = http.client.responses.get(status, "Error")
    assert head.split(b"\r\n")[0] == f"HTTP/1.1 {status} {reason}".encode()
    assert f"Content-Length: {len(body)}".encode() in head
    assert answer(status, bodiless=True) == head + b"\r\n\r\n"
