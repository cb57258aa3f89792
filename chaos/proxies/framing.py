"""HTTP/1.1 heads on the wire: whether they are sound, and how long the body after them is.

Messages are passed on byte for byte, so signatures stay valid. httptools judges every head, and
strictly (RFC 9112: no folded header, no bare line feed, one length and no other beside chunks), so
that proxy and upstream cannot see different requests in the same bytes. What else a head says is
read only when somebody asks. Bodies are counted here, because httptools does not tell where in a
read one message ends.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping

import httptools

from chaos.proxies.bodies import Body, Chunked, Malformed, Sized, UntilClosed

# Bytes. AWS itself takes heads of 8 to 16 KiB; presigned URLs and tokens make long ones.
MAX_HEAD = 64 * 1024
# The first header that says how long the body is; a sound head has one at most.
LENGTH = re.compile(rb"\r\n(?:content-length:[ \t]*([0-9]+)|transfer-encoding:)", re.IGNORECASE)

# httptools judges, and reports to nobody: callbacks would cost more than the judging.
NOBODY = object()


class HeadTooLong(Malformed):
    """A head has not ended after MAX_HEAD bytes."""


class Head:
    """A head as it came, `raw`, blank line included."""

    __slots__ = ("_headers", "length", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._headers: Mapping[bytes, bytes] | None = None
        found = LENGTH.search(raw)
        self.length = None if found is None else -1 if found[1] is None else int(found[1])
        """Content-Length; -1 when there is a Transfer-Encoding, None when there is neither."""

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """By name in lower case; the values of one that comes twice are joined by a comma."""
        if self._headers is None:
            self._headers = _headers(self.raw)
        return self._headers

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may go on after this message."""
        options = self.headers.get(b"connection", b"").lower()
        old = b"HTTP/1.0" in self.raw[: self.raw.index(b"\r\n")]
        return b"keep-alive" in options if old else b"close" not in options


class RequestHead(Head):
    """A request without its body."""

    __slots__ = ("method", "target")

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.method, self.target = raw[: raw.index(b"\r\n", 2)].split()[:2]

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body."""
        return self.headers.get(b"expect", b"").lower() == b"100-continue"


class ResponseHead(Head):
    """A response without its body."""

    __slots__ = ("last", "status")

    def __init__(self, raw: bytes, status: int, last: bool) -> None:
        super().__init__(raw)
        self.status = status
        self.last = last
        """Whether the connection ends with this response."""


def end_of_head(data: bytes) -> int:
    """Where the body begins, or -1 when the head has not ended yet; raises HeadTooLong."""
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD)
    if end < 0 and len(data) >= MAX_HEAD:
        raise HeadTooLong(f"the head is longer than {MAX_HEAD} bytes")
    return end + 4 if end >= 0 else -1


def parse_request(raw: bytes) -> RequestHead:
    """Read a whole head, blank line included; raises Malformed."""
    _feed(httptools.HttpRequestParser(NOBODY), raw)
    return RequestHead(raw)


def parse_response(raw: bytes) -> ResponseHead:
    """Read a whole head, blank line included; raises Malformed."""
    parser = httptools.HttpResponseParser(NOBODY)
    _feed(parser, raw)
    head = ResponseHead(raw, parser.get_status_code(), last=False)
    # The parser says no also when it does not know; then the head is read.
    head.last = not parser.should_keep_alive() and not head.keep_alive
    return head


def request_body(head: RequestHead) -> Body:
    """The body that a request's head announces; raises Malformed."""
    if head.length is None:
        return Sized(0)
    if head.length >= 0:
        return Sized(head.length)
    if b"HTTP/1.1\r\n" not in head.raw:  # RFC 9112 §6.1: its length is anybody's guess
        raise Malformed("chunks in another version than HTTP/1.1")
    return Chunked()


def response_body(head: ResponseHead, method: bytes) -> Body:
    """The body of a response to a request with that method (RFC 9112 §6.3)."""
    if method == b"HEAD" or head.status < 200 or head.status in (204, 304):
        return Sized(0)
    if head.length is None:
        return UntilClosed()
    return Sized(head.length) if head.length >= 0 else _encoded(head)


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


def refusal(error: Malformed) -> bytes:
    """Our answer to what is no request."""
    text = f"the proxy of the AWS API cannot read this request: {error}\n".encode()
    status = 431 if isinstance(error, HeadTooLong) else 400
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    return response(status, kind, text, keep_alive=False)


def _encoded(head: ResponseHead) -> Body:
    """Only when chunks are the last coding do they say where the body ends."""
    codings = head.headers[b"transfer-encoding"].lower().split(b",")
    return Chunked() if codings[-1].strip() == b"chunked" else UntilClosed()


def _headers(raw: bytes) -> dict[bytes, bytes]:
    """Of a head that was judged: each line has a name, a colon and a value."""
    found: dict[bytes, bytes] = {}
    for line in raw.strip(b"\r\n").split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        key, value = name.lower(), value.strip(b" \t")
        found[key] = found[key] + b", " + value if key in found else value
    return found


def _feed(parser: httptools.HttpRequestParser | httptools.HttpResponseParser, raw: bytes) -> None:
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # an offer to speak something else; no AWS endpoint takes it up
    except httptools.HttpParserError as error:
        raise Malformed(str(error) or type(error).__name__) from error
