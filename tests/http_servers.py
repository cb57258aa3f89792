"""Servers that answer well or badly, and single attempts of the probe `http` against them."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from chaos.loops import run_at
from probes.http import Http
from probes.net import Net
from probes.probe import Attempt, ProbeFailed, Sample
from probes.schedule import run_probe

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DEADLINE = 30.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Region: us-west-2\r\n\r\nok"


def saying(answer: bytes, *, hang: bool = False, asked: list[bytes] | None = None) -> Handler:
    """A server that sends this for a request; it closes then, or keeps silent for good."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            if asked is not None:
                asked.append(request)
            writer.write(answer)
            await writer.drain()
            if hang:
                await reader.read()  # until the probe goes
        writer.close()

    return handle


def endless(head: bytes, more: bytes) -> Handler:
    """A server that never stops sending."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(head)
            while True:
                writer.write(more)
                await writer.drain()
        writer.close()

    return handle


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    await writer.drain()
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def serving(
    handler: Handler, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def run(main: Coroutine[Any, Any, Any], speed: float = 1) -> Any:
    return run_at(speed, asyncio.wait_for(main, DEADLINE * speed))


def made(port: int, path: str = "/", scheme: str = "http", **fields: Any) -> Http:
    return Http(kind="http", url=f"{scheme}://127.0.0.1:{port}{path}", **fields)


async def check(probe: Http, net: Net | None = None) -> Attempt:
    attempt = Attempt(run="r", probe="p", n=0)
    await probe.check(net or Net(), attempt)
    return attempt


def answered(handler: Handler, **fields: Any) -> Attempt:
    """One good attempt against that server."""

    async def main() -> Attempt:
        async with serving(handler) as port:
            return await check(made(port, **fields))

    attempt: Attempt = run(main())
    return attempt


def refused(handler: Handler, **fields: Any) -> str:
    """What a bad attempt says."""
    with pytest.raises(ProbeFailed) as failed:
        answered(handler, **fields)
    return str(failed.value)


async def first_sample(probe: Http, net: Net | None = None) -> Sample:
    """One attempt within the frame, which bounds it and words its errors."""
    got: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()
    origin = asyncio.get_running_loop().time()
    task = asyncio.create_task(
        run_probe(
            "p",
            probe,
            net or Net(),
            run="r",
            origin=origin,
            emit=lambda s: None if got.done() else got.set_result(s),
        )
    )
    try:
        return await got
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def answer_of(body: str, *, status: int = 200, head: str = "") -> bytes:
    """A whole answer with that body; `head`: further lines, each with its end."""
    data = body.encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n{head}\r\n".encode() + data
