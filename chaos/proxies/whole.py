"""The usual message, whole in one read, is told at a glance: all of it is shown to httptools.

It is judged as strictly as any other message. What is not one whole message, no more and no less,
is read in pieces.
"""

from __future__ import annotations

from typing import Any

import httptools


class WholeRequests:
    """The requests of one connection."""

    __slots__ = ("_begun", "_done", "_parser")

    def __init__(self) -> None:
        self._parser: Any = self._new()

    def holds(self, data: bytes) -> bool:
        """Whether it is one whole request."""
        self._begun = self._done = 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._done = -1
        if self._begun == 1 == self._done:
            return True
        self._parser = self._new()
        return False

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_message_complete(self) -> None:
        self._done += 1 if self._parser.get_http_version() == "1.1" else -1

    def _new(self) -> Any:
        return httptools.HttpRequestParser(self)


class WholeResponses(WholeRequests):
    """The final responses of one connection, but the last, and none to HEAD."""

    __slots__ = ()

    def on_message_complete(self) -> None:
        final = self._parser.get_status_code() >= 200
        self._done += 1 if final and self._parser.should_keep_alive() else -1

    def _new(self) -> Any:
        return httptools.HttpResponseParser(self)
