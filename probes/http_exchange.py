"""One HTTP/1.1 request and its answer on one connection: bounded, and never more than one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httptools

from probes.probe import ProbeFailed

HEAD_LIMIT = 64 * 1024
# Chunk by chunk a body may take many times its size; an answer that takes more is an attack.
OVERHEAD = 8


@dataclass(slots=True)
class Response:
    """What came back so far; header names are in lower case, repeated ones are joined."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class Exchange(asyncio.Protocol):
    """The client's side of one exchange. Interim answers (1xx) are passed over.

    `began` is done at the first byte, `ended` when the answer is whole; the one that is waited
    for raises ProbeFailed or OSError when it never will be.
    """

    def __init__(self, *, head: bool, limit: int) -> None:
        """`head`: the answer has no body, whatever it says; `limit`: of the body, in bytes."""
        loop = asyncio.get_running_loop()
        self.began: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.response = Response()
        self._head = head
        self._limit = limit
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._received = 0
        self._in_body = False

    def close(self) -> None:
        """Take no more notice of the connection."""
        self._parser = None  # also breaks the cycle of references between the two

    # --- what the connection says --------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._parser is None:
            return
        if not self.began.done():
            self.began.set_result(None)
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # What follows a whole answer is of no interest.
            if not self.ended.done():
                self._fail(ProbeFailed(f"the answer is not HTTP/1.1: {error}"))
        self._keep_to_limits()

    def connection_lost(self, exc: Exception | None) -> None:
        """Decide whether the end of the connection was the end of the answer."""
        if exc is not None:
            self._fail(exc)
        elif self._in_body and self._until_closed():
            self._finish()
        elif self._received:
            self._fail(ProbeFailed("the connection was closed in the middle of the answer"))
        else:
            self._fail(ProbeFailed("the connection was closed without an answer"))

    # --- what the parser says ------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header; trailers behind a body are not headers."""
        if not self._in_body:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers = self.response.headers
            headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """See whether this is the answer, or an interim one before it."""
        if self._parser is None or self.ended.done():
            return  # of something behind the answer
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self.response.headers.clear()
            return
        self.response.status = status
        self._in_body = True
        if self._head:
            self._finish()

    def on_body(self, body: bytes) -> None:
        """Keep one piece of the body."""
        if not self.ended.done():
            self.response.body += body
        if len(self.response.body) > self._limit:
            self._fail(ProbeFailed(f"the body is longer than {self._limit} bytes"))

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was an interim one."""
        if self._in_body:
            self._finish()

    # --- endings -------------------------------------------------------------------------

    def _keep_to_limits(self) -> None:
        if not self._in_body and self._received > HEAD_LIMIT:
            self._fail(ProbeFailed(f"the head is longer than {HEAD_LIMIT} bytes"))
        elif self._received > HEAD_LIMIT + OVERHEAD * self._limit:
            self._fail(ProbeFailed(f"the answer goes on after {self._received} bytes"))

    def _until_closed(self) -> bool:
        """Whether the body has no other end than that of the connection (RFC 9112, 6.3)."""
        headers = self.response.headers
        coding = headers.get("transfer-encoding", "").lower()
        return "content-length" not in headers and not coding.endswith("chunked")

    def _finish(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._parser is None:
            return
        waiting = self.ended if self.began.done() else self.began
        if not waiting.done():
            waiting.set_exception(error)
            waiting.exception()  # nobody may be left to ask for it
