"""One small question over HTTP, within a deadline: for asking an emulator how it is."""

from __future__ import annotations

import asyncio
import io
from http.client import HTTPException, HTTPResponse
from typing import Any

from chaos.loops import speed_of

LARGEST = 2**20  # bytes of an answer; a list of services has a few thousand


async def get(address: tuple[str, int], path: str, within_s: float) -> tuple[int, bytes]:
    """Status and body. `within_s` is in seconds of the wall.

    Raises OSError, of which TimeoutError is one, when there is no answer, or none in HTTP.
    """
    async with asyncio.timeout(within_s * speed_of(asyncio.get_running_loop())):
        reader, writer = await asyncio.open_connection(*address)
        try:
            host = f"{address[0]}:{address[1]}"
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            received = bytearray()
            while len(received) < LARGEST and (part := await reader.read(65536)):
                received += part
        finally:
            writer.close()
    return _parsed(bytes(received))


def _parsed(received: bytes) -> tuple[int, bytes]:
    response = HTTPResponse(_Received(received))  # type: ignore[arg-type]  # all it asks of a socket
    try:
        response.begin()
        return response.status, response.read()
    except HTTPException as error:
        raise OSError("what came back is no HTTP") from error


class _Received:
    """What has been received, in the place of a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self._received)
