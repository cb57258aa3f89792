"""One request on its way through the AWS API proxy, and what has become of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import Enum, auto

from chaos.proxies.answer import Answer
from chaos.proxies.aws_errors import error_response
from chaos.proxies.bodies import Body
from chaos.proxies.effect import Effect
from chaos.proxies.framing import RequestHead, request_body, response
from chaos.proxies.grip import Grip
from chaos.proxies.queue_urls import QueueUrls
from chaos.proxies.request import ApiRequest, identify, is_form

# Bytes of a form in which `Action` is looked for; SDKs write it first.
FORM_BEGINNING = 4096
# DynamoDB's own limit of a request (BatchWriteItem), in bytes: no write is too long to be seen.
MAX_SEEN = 16 * 2**20
# Bytes of a request to the proxy itself.
MAX_ADMIN = 2**20

DYNAMODB_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
)

Seen = Callable[[ApiRequest, bytes, int], None]
# Method, target, body and headers (names in lower case) to status, headers and body.
Admin = Callable[[bytes, bytes, bytes, Mapping[bytes, bytes]], tuple[int, dict[str, str], bytes]]


class Phase(Enum):
    """Where a request is; `chaos.proxies.connection` has the picture."""

    HEAD = auto()
    DECIDE = auto()
    ADMIN = auto()
    DELAY = auto()
    HANG = auto()
    DIAL = auto()
    BODY = auto()
    RESPONSE = auto()
    DRAIN = auto()
    LINGER = auto()


class Exchange:
    """A request whose head has been read."""

    __slots__ = (
        "_kept",
        "answer",
        "begun",
        "body",
        "broken",
        "cut",
        "ended",
        "grip",
        "head",
        "last",
        "queue_urls",
        "reply",
        "request",
        "unsent",
    )

    def __init__(self, head: RequestHead, request: ApiRequest | None = None) -> None:
        self.head = head
        self.body: Body = request_body(head)
        self.unsent = head.raw  # until it is passed on
        self.request = request or UNKNOWN
        self.begun = self.ended = False  # the response has
        self.broken = False  # the response will have no end
        self.last = False  # nothing follows on this connection
        self.reply: bytes | None = None  # our own response; None is a reset
        self.grip: Grip | None = None  # what the rules do to it
        self.answer: Answer | None = None  # the response, when it is slowed down or cut
        self.cut: Effect | None = None  # why it is cut
        self.queue_urls: QueueUrls | None = None  # collects the response, to change it
        self._kept: bytearray | None = None

    @property
    def over(self) -> bool:
        """Whether the whole response is with the client."""
        return self.ended and not (self.answer and self.answer.waiting)

    @property
    def passed(self) -> Collection[str]:
        """The rules that have delayed or slowed it."""
        return self.grip.passed if self.grip else ()

    @property
    def ours_is_last(self) -> bool:
        """Whether nothing can be read after an answer of our own.

        A client that waits for `100 Continue` may or may not send the body after another answer.
        """
        waits = self.head.expects_continue and not self.body.done
        return waits or not self.head.keep_alive

    def identify(self, inbox: bytes) -> bool:
        """Find out what is asked for; False when more of a form has to come first."""
        form = bytearray()
        if is_form(self.head):
            ahead = request_body(self.head)
            ahead.take(inbox, form)
            enough = ahead.done or len(form) >= FORM_BEGINNING or self.head.expects_continue
            if not enough:
                return False
        self.request = identify(self.head, bytes(form))
        return True

    def keep(self) -> None:
        """Keep the body of a write to DynamoDB for `content`."""
        wanted = self.request.service == "dynamodb" and self.request.operation in DYNAMODB_WRITES
        self._kept = bytearray() if wanted else None

    def keep_all(self) -> None:
        """Keep the body, whatever it is, for `content`."""
        self._kept = bytearray()

    @property
    def kept(self) -> int:
        """How many bytes are kept."""
        return len(self._kept or b"")

    def take(self, inbox: bytes) -> int:
        """How many of the leading bytes belong to the body."""
        used = self.body.take(inbox, self._kept)
        if self._kept is not None and len(self._kept) > MAX_SEEN:
            self._kept = None
        return used

    def content(self) -> bytes:
        """The body that was kept, if it is whole; it is forgotten."""
        kept, self._kept = self._kept, None
        return bytes(kept) if kept and self.body.done else b""

    def ask(self, admin: Admin) -> bytes:
        """The proxy's own answer to a request whose body has been kept."""
        head = self.head
        status, headers, body = admin(head.method, head.target, self.content(), head.headers)
        return response(status, headers, body, keep_alive=not self.ours_is_last, method=head.method)

    def error(self, status: int, code: str, message: str) -> bytes:
        """A response that the service itself could have given."""
        if self.request is UNKNOWN:  # nobody has asked before
            self.request = identify(self.head)
        return error_response(
            self.head,
            self.request,
            status=status,
            code=code,
            message=message,
            keep_alive=not self.ours_is_last,
        )


def sent_whole(data: bytes) -> Exchange:
    """A request that came in one piece and was judged, and is passed on so."""
    end = data.index(b"\r\n\r\n") + 4
    exchange = Exchange(RequestHead(data[:end]))
    exchange.body.take(data[end:])
    exchange.unsent = b""
    return exchange


UNKNOWN = ApiRequest()
