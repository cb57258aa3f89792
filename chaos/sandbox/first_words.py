"""What a client says first, looked at and left where it is: the host it means, and if by TLS."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from dataclasses import dataclass

from chaos.sandbox.namespace import readable

LARGEST = 1 << 14  # a TLS record's most
RECORD_HEADER = 5
HANDSHAKE = b"\x16"
HOST = re.compile(rb"\r\nhost:[ \t]*([^\r\n:]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FirstWords:
    """The host that a client has named, if it has, and whether it wants TLS."""

    host: str | None
    tls: bool


async def first_words(sock: socket.socket) -> FirstWords:
    """Wait for a client's first words, without end; raises OSError."""
    seen = await _peek(sock, 1)
    if seen[:1] != HANDSHAKE:
        found = HOST.search(seen)
        return FirstWords(found[1].decode("latin-1").strip() if found else None, tls=False)
    seen = await _peek(sock, RECORD_HEADER)
    size = RECORD_HEADER + int.from_bytes(seen[3:RECORD_HEADER])
    return FirstWords(server_name(await _peek(sock, min(size, LARGEST))), tls=True)


def server_name(hello: bytes) -> str | None:
    """The name that a TLS ClientHello asks for, as OpenSSL reads it."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _tls, name, _context: names.append(name)
    heard = ssl.MemoryBIO()
    heard.write(hello)
    with contextlib.suppress(ssl.SSLError):  # it has no certificate, so it comes no further
        context.wrap_bio(heard, ssl.MemoryBIO(), server_side=True).do_handshake()
    return names[0] if names else None


async def _peek(sock: socket.socket, least: int) -> bytes:
    """What has come, once it is so many bytes or the end; it can be read again."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
    await readable(sock)
    seen = sock.recv(LARGEST, socket.MSG_PEEK)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
    return seen
