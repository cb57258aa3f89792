"""One request on its way through the AWS API proxy, and what has become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from chaos.proxies.aws_errors import error_response
from chaos.proxies.framing import Body, RequestHead, request_body
from chaos.proxies.request import ApiRequest, identify, is_form

# Bytes of a form in which `Action` is looked for; SDKs write it first.
FORM_BEGINNING = 4096
# DynamoDB's own limit of a request (BatchWriteItem), in bytes: no write is too long to be seen.
MAX_SEEN = 16 * 2**20

DYNAMODB_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
)

Seen = Callable[[ApiRequest, bytes, int], None]


class Phase(Enum):
    """Where a request is; `chaos.proxies.connection` has the picture."""

    HEAD = auto()
    DECIDE = auto()
    DELAY = auto()
    HANG = auto()
    DIAL = auto()
    BODY = auto()
    RESPONSE = auto()
    DRAIN = auto()
    LINGER = auto()


@dataclass(slots=True, eq=False)
class Exchange:
    """A request whose head has been read."""

    head: RequestHead
    body: Body = field(init=False)
    unsent: bytes = field(init=False)  # the head, until it is passed on
    request: ApiRequest = field(default_factory=ApiRequest)
    passed: set[str] = field(default_factory=set)  # rules that have delayed it
    begun: bool = False  # the response has
    ended: bool = False  # the response has
    reply: bytes = b""  # our own response
    _kept: bytearray | None = None

    def __post_init__(self) -> None:
        self.body = request_body(self.head)
        self.unsent = self.head.raw

    @property
    def last(self) -> bool:
        """Whether nothing can be read after an answer of our own.

        A client that waits for `100 Continue` may or may not send the body after another answer.
        """
        return not self.head.keep_alive or self.head.expects_continue

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

    def error(self, status: int, code: str, message: str) -> bytes:
        """A response that the service itself could have given."""
        return error_response(
            self.head,
            self.request,
            status=status,
            code=code,
            message=message,
            keep_alive=not self.last,
        )
