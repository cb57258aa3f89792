"""Which of the bytes after a head are its body: as many as announced, chunks, or all of them."""

from __future__ import annotations

import re
from typing import Protocol

# Bytes of a chunk's first line, and of the trailer.
MAX_LINES = 64 * 1024
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class Malformed(Exception):
    """The peer does not speak HTTP/1.1; the message says what is wrong."""


class Body(Protocol):
    """The bytes after a head that belong to it."""

    @property
    def done(self) -> bool:
        """Whether all of it has been taken."""

    def take(self, data: bytes, payload: bytearray | None = None) -> int:
        """How many of the leading bytes belong to it; its content is added to `payload`."""


class Sized:
    """As many bytes as Content-Length says."""

    __slots__ = ("_left",)

    def __init__(self, size: int) -> None:
        self._left = size

    @property
    def done(self) -> bool:
        return self._left == 0

    def take(self, data: bytes, payload: bytearray | None = None) -> int:
        used = min(self._left, len(data))
        self._left -= used
        if payload is not None:
            payload += data[:used]
        return used


class UntilClosed:
    """Everything until the connection ends."""

    done = False

    def take(self, data: bytes, payload: bytearray | None = None) -> int:
        if payload is not None:
            payload += data
        return len(data)


class Chunked:
    """Chunks, each after a line with its size, up to the blank line after the last."""

    def __init__(self) -> None:
        self.done = False
        self._left = 0  # of the chunk's content and the line end after it
        self._line = b""
        self._trailer = 0  # bytes of it so far; 0 before the last chunk

    def take(self, data: bytes, payload: bytearray | None = None) -> int:
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                used = min(self._left, len(data) - at)
                if payload is not None:
                    payload += data[at : at + min(used, max(0, self._left - 2))]
                self._check_end(data, at, used)
                self._left -= used
                at += used
            else:
                at = self._read_line(data, at)
        return at

    def _check_end(self, data: bytes, at: int, used: int) -> None:
        """The line end behind a chunk: a server that looks elsewhere for it reads other chunks."""
        last = min(2, self._left)  # what is still to come of it
        ours = used - (self._left - last)
        if ours > 0:
            end = data[at + used - ours : at + used]
            if end != b"\r\n"[2 - last : 2 - last + ours]:
                raise Malformed("a chunk is longer than its size")

    def _read_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        stop = len(data) if end < 0 else end + 1
        self._line += data[at:stop]
        if len(self._line) + self._trailer > MAX_LINES:
            raise Malformed("a chunk's size or the trailer is too long")
        if end >= 0:
            line, self._line = self._line, b""
            self._end_line(line)
        return stop

    def _end_line(self, line: bytes) -> None:
        if self._trailer:
            if not line.endswith(b"\r\n"):
                raise Malformed("a line of the trailer ends without CR")
            self._trailer += len(line)
            self.done = line == b"\r\n"
        elif size := CHUNK_SIZE.fullmatch(line):
            length = int(size[1], 16)
            self._left = length + 2 if length else 0
            self._trailer = 0 if length else 1
        else:
            raise Malformed("a chunk has no size")
