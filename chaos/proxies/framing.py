"""HTTP/1.1 on the wire: what a head says, and which of the bytes after it are its body.

Messages are passed on byte for byte, so signatures stay valid. httptools judges the heads; bodies
are counted here, because httptools does not tell where in a read one message ends.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import httptools

# Bytes. AWS itself takes heads of 8 to 16 KiB; presigned URLs and tokens make long ones.
MAX_HEAD = 64 * 1024
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class Malformed(Exception):
    """The peer does not speak HTTP/1.1; the message says what is wrong."""


class HeadTooLong(Malformed):
    """A head has not ended after MAX_HEAD bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """A request without its body; header names are in lower case, `raw` is as it came."""

    raw: bytes
    method: bytes
    target: bytes
    headers: Mapping[bytes, bytes]
    keep_alive: bool

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body."""
        return self.headers.get(b"expect", b"").lower() == b"100-continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHead:
    """A response without its body."""

    status: int
    headers: Mapping[bytes, bytes]


class _Fields:
    """What httptools reports of one head."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[bytes, bytes] = {}

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.lower()
        self.headers[key] = self.headers[key] + b", " + value if key in self.headers else value


def end_of_head(data: bytes) -> int:
    """Where the body begins, or -1 when the head has not ended yet; raises HeadTooLong."""
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD)
    if end < 0 and len(data) >= MAX_HEAD:
        raise HeadTooLong(f"the head is longer than {MAX_HEAD} bytes")
    return end + 4 if end >= 0 else -1


def parse_request(raw: bytes) -> RequestHead:
    """Read a whole head, blank line included; raises Malformed."""
    fields = _Fields()
    parser = httptools.HttpRequestParser(fields)
    _feed(parser, raw)
    return RequestHead(
        raw=raw,
        method=parser.get_method(),
        target=fields.target,
        headers=fields.headers,
        keep_alive=_keeps_alive(parser.get_http_version(), fields.headers),
    )


def parse_response(raw: bytes) -> ResponseHead:
    """Read a whole head, blank line included; raises Malformed."""
    fields = _Fields()
    parser = httptools.HttpResponseParser(fields)
    _feed(parser, raw)
    return ResponseHead(status=parser.get_status_code(), headers=fields.headers)


def _keeps_alive(version: str, headers: Mapping[bytes, bytes]) -> bool:
    options = headers.get(b"connection", b"").lower()
    return b"close" not in options if version == "1.1" else b"keep-alive" in options


def _feed(parser: httptools.HttpRequestParser | httptools.HttpResponseParser, raw: bytes) -> None:
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # an offer to speak something else; no AWS endpoint takes it up
    except httptools.HttpParserError as error:
        raise Malformed(str(error) or type(error).__name__) from error


class Body(Protocol):
    """The bytes after a head that belong to it."""

    @property
    def done(self) -> bool:
        """Whether all of it has been taken."""

    def take(self, data: bytes, payload: bytearray | None = None) -> int:
        """How many of the leading bytes belong to it; its content is added to `payload`."""


class Sized:
    """As many bytes as Content-Length says."""

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
                self._left -= used
                at += used
            else:
                at = self._read_line(data, at)
        return at

    def _read_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        stop = len(data) if end < 0 else end + 1
        self._line += data[at:stop]
        if len(self._line) + self._trailer > MAX_HEAD:
            raise Malformed("a chunk's size or the trailer is too long")
        if end >= 0:
            line, self._line = self._line, b""
            self._end_line(line)
        return stop

    def _end_line(self, line: bytes) -> None:
        if self._trailer:
            self._trailer += len(line)
            self.done = not line.strip()
        elif size := CHUNK_SIZE.fullmatch(line):
            length = int(size[1], 16)
            self._left = length + 2 if length else 0
            self._trailer = 0 if length else 1
        else:
            raise Malformed("a chunk has no size")


def request_body(head: RequestHead) -> Body:
    """The body that a request's head announces."""
    return _announced(head.headers) or Sized(0)


def response_body(head: ResponseHead, method: bytes) -> Body:
    """The body of a response to a request with that method (RFC 9112 §6.3)."""
    if method == b"HEAD" or head.status < 200 or head.status in (204, 304):
        return Sized(0)
    return _announced(head.headers) or UntilClosed()


def _announced(headers: Mapping[bytes, bytes]) -> Body | None:
    if b"chunked" in headers.get(b"transfer-encoding", b"").lower():
        return Chunked()
    length = headers.get(b"content-length")
    return None if length is None else Sized(int(length))


def response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    keep_alive: bool,
    method: bytes = b"GET",
) -> bytes:
    """A whole response of our own; to HEAD it has no body."""
    reason = http.client.responses.get(status, "Error")
    fields = {**headers, "Content-Length": str(len(body))}
    if not keep_alive:
        fields["Connection"] = "close"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in fields.items())]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head if method == b"HEAD" else head + body
