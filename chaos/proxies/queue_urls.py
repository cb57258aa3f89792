"""QueueUrls in the answers of SQS, so that an SDK that calls them stays inside the proxy.

Some SDKs (that for JavaScript) take the host of a QueueUrl for the endpoint of the calls that
follow. LocalStack names its own there (SQS_ENDPOINT_STRATEGY), and such calls would go past the
proxy, faults and all.
"""

from __future__ import annotations

import re

from chaos.proxies.framing import RequestHead

# They answer with the URLs of queues.
TARGETS = frozenset(
    {
        b"AmazonSQS.CreateQueue",
        b"AmazonSQS.GetQueueUrl",
        b"AmazonSQS.ListDeadLetterSourceQueues",
        b"AmazonSQS.ListQueues",
    }
)
TARGET = b"AmazonSQS."
# LocalStack's own name in every strategy but `dynamic`, which is the one wanted.
ORIGIN = re.compile(rb"\bhttps?://(?:[a-z0-9.-]+\.)?localhost\.localstack\.cloud(?::\d+)?(?=/)")
LENGTH = re.compile(rb"(?<=\r\nContent-Length:)[ \t]*\d+[ \t]*(?=\r\n)", re.IGNORECASE)
# Bytes of an answer: a thousand URLs, which is a page of ListQueues, are a tenth of it.
MAX_ANSWER = 2**20


def has_queue_urls(head: RequestHead) -> bool:
    """Whether the answer to that request may hold some."""
    return head.headers.get(b"x-amz-target") in TARGETS


class QueueUrls:
    """Collects one answer; `whole` gives it with the host that the client has called."""

    def __init__(self, host: bytes) -> None:
        self._origin = b"http://" + host
        self._data = b""
        self._head = 0

    def begin(self, head: int) -> None:
        """The first `head` bytes are the head."""
        self._head = head

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the answer; returns those that must not wait: of one that is too long."""
        self._data += data
        if len(self._data) <= MAX_ANSWER:
            return b""
        self._head = 0
        return self.rest()

    def rest(self) -> bytes:
        """What was collected, as it came."""
        data, self._data = self._data, b""
        return data

    def whole(self) -> bytes:
        """What was collected, changed where it can be: with its length, and not compressed."""
        data = self.rest()
        head, body = data[: self._head], data[self._head :]
        changed = ORIGIN.sub(lambda _: self._origin, body)
        # As wide as it was: who counts the bytes of the head has counted them already.
        new, found = LENGTH.subn(lambda old: b"%*d" % (len(old[0]), len(changed)), head)
        return new + changed if found == 1 else head + body
