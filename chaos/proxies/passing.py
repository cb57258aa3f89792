"""One client's connection: its requests one after the other, passed on and answered.

    HEAD ─► DECIDE ─► DIAL ─► BODY ─► RESPONSE ─► HEAD      passed on
                   └► DRAIN ─► HEAD                         answered here
    any  ─► LINGER                                          over: what still comes is thrown away

Nothing is kept of what passes, and who does not keep up holds the other side back. What the rules
do to a request is decided in `chaos.proxies.connection`.
"""

from __future__ import annotations

import asyncio

from chaos.proxies.bodies import Malformed
from chaos.proxies.door import Door
from chaos.proxies.exchange import Exchange, Phase, sent_whole
from chaos.proxies.framing import MAX_HEAD, end_of_head, parse_request, refusal
from chaos.proxies.upstream import Unreachable, Upstream, dial
from chaos.proxies.whole import WholeRequests
from chaos.proxies.wire import Wire

# Bytes held of a request that waits; above it, nothing more is read.
INBOX = 64 * 1024


class Passing(asyncio.Protocol):
    """Reads requests and passes bytes on; a request is decided on in `_decide`."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._wire: Wire
        self._full = False  # the client does not keep up
        self._ended = False  # the client says no more, but may listen
        self._inbox = b""
        self._phase = Phase.HEAD
        self._whole = WholeRequests()
        self._asked = b""  # a whole request that nobody has looked into
        self._looked: Exchange | None = None  # the request that somebody has
        self._upstream: Upstream | None = None
        self._upstream_full = False
        self.dialing: asyncio.Task[None] | None = None

    @property
    def _exchange(self) -> Exchange:
        """The last request that began."""
        if self._looked is None:
            self._looked = sent_whole(self._asked)
        return self._looked

    @property
    def buffered(self) -> int:
        """Bytes held on their way, in both directions."""
        upstream = self._upstream.buffered if self._upstream else 0
        return len(self._inbox) + self._wire.buffered + upstream

    def abort(self) -> None:
        """End it at once."""
        self._wire.abort()

    def rules_changed(self) -> None:
        """Other rules are in force."""

    # Events of the client's side.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream's
        self._wire = Wire(transport)
        self._door.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if (
            self._phase is Phase.HEAD
            and self._upstream
            and not self._inbox
            and len(data) <= MAX_HEAD
            and self._door.passes(data)
            and self._whole.holds(data)
        ):
            self._door.requests += 1
            self._asked, self._looked, self._phase = data, None, Phase.RESPONSE
            if self._door.plain or self._may_pass():
                self._upstream.ask(data)
            return
        self._inbox = self._inbox + data if self._inbox else data
        self._advance()

    def eof_received(self) -> bool:
        self._ended = True
        self._wire.ended()
        self._advance()
        return True  # we close: there may be an answer to come

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  # all ends are one
        self._door.connections.discard(self)
        self._phase = Phase.LINGER
        self._wire.lost()
        self._drop_upstream()
        if self.dialing:
            self.dialing.cancel()

    def pause_writing(self) -> None:
        self._full = True
        self._regulate()

    def resume_writing(self) -> None:
        self._full = False
        self._regulate()

    # Events of the upstream's side.

    def answered(self, data: bytes) -> None:
        self._wire.write(data)
        self._phase = Phase.HEAD
        if self._inbox or self._ended:
            self._advance()

    def response_begins(self, status: int, size: int) -> None:  # noqa: ARG002  # for who looks inside
        self._exchange.begun = True
        if self._door.seen:
            self._door.seen(self._exchange.request, self._exchange.content(), status)

    def relay(self, data: bytes) -> None:
        self._wire.write(data)

    def response_ended(self, last: bool) -> None:
        self._exchange.ended, self._exchange.last = True, last
        if self._exchange.over:
            self._complete()

    def upstream_full(self, full: bool) -> None:
        self._upstream_full = full
        self._regulate()

    def upstream_lost(self, why: str) -> None:
        self._upstream, self._upstream_full = None, False
        if self._phase in (Phase.BODY, Phase.RESPONSE):
            if self._exchange.begun:
                self._break_off()
            else:
                self._gateway_error(why)
        elif self._phase is Phase.HEAD and not self._inbox:
            self._wire.close()
        self._advance()

    # The request, step by step. A step says whether there is another to take now.

    def _advance(self) -> None:
        try:
            while self._step():
                pass
        except Malformed as error:
            self._reject(error)
        if self._ended:
            self._heard_all()
        self._regulate()

    def _step(self) -> bool:
        """One step; whether another can be taken now."""
        match self._phase:
            case Phase.HEAD:
                return bool(self._inbox) and self._read_head()
            case Phase.DECIDE:
                return self._decide()
            case Phase.BODY:
                return self._send()
            case Phase.DRAIN:
                return self._drain()
            case Phase.LINGER:
                self._inbox = b""
        return False

    def _regulate(self) -> None:
        waiting = self._full or self._upstream_full or len(self._inbox) > INBOX
        self._wire.read(not waiting)
        if self._upstream:
            self._upstream.read(not (self._full or self._answer_waits()))

    def _answer_waits(self) -> int:
        return 0

    def _heard_all(self) -> None:
        """The client may listen on, to the answer of a request that is whole."""
        if self._phase is Phase.RESPONSE:
            if self._upstream and not self._inbox:
                self._upstream.say_end()
        elif self._phase in (Phase.HEAD, Phase.LINGER):
            self._wire.close()
        elif self._phase is not Phase.DIAL:
            self._wire.abort()

    def _may_pass(self) -> bool:
        """Whether a request that came whole goes on at once."""
        return True

    def _read_head(self) -> bool:
        if self._inbox[0] in b"\r\n":  # some clients end a body with one line end too many
            self._inbox = self._inbox.lstrip(b"\r\n")
        end = end_of_head(self._inbox)
        if end < 0:
            return False
        self._looked = Exchange(parse_request(self._inbox[:end]))
        self._inbox = self._inbox[end:]
        self._door.requests += 1
        self._phase = Phase.DECIDE
        return True

    def _decide(self) -> bool:
        self._forward()
        return True

    def _forward(self) -> None:
        if self._door.seen:
            self._exchange.keep()
        if self._upstream:
            self._begin(self._upstream)
        else:
            self._phase = Phase.DIAL
            self.dialing = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        try:
            upstream = await dial(self, self._door.upstream)
        except Unreachable as error:
            self._gateway_error(str(error))
        else:
            self._upstream = upstream
            self._begin(upstream)
        self.dialing = None
        self._advance()

    def _begin(self, upstream: Upstream) -> None:
        self._phase = Phase.BODY
        upstream.expect(self._exchange.head.method)

    def _send(self) -> bool:
        """Pass on what there is; whether that was all of it."""
        exchange = self._exchange
        used = exchange.take(self._inbox)
        data, self._inbox = exchange.unsent + self._inbox[:used], self._inbox[used:]
        exchange.unsent = b""
        if data and self._upstream:
            self._upstream.send(data)
        if exchange.body.done:
            self._phase = Phase.HEAD if exchange.over else Phase.RESPONSE
        return exchange.body.done

    def _complete(self) -> None:
        """The client has the whole response."""
        if self._exchange.last:
            self._finish()
        elif self._phase is Phase.RESPONSE:
            self._phase = Phase.HEAD
            if self._inbox or self._ended:
                self._advance()

    # Answers of our own, and ends.

    def _break_off(self) -> None:
        self._finish()

    def _gateway_error(self, why: str) -> None:
        host, port = self._door.upstream
        said = f"the AWS API behind the proxy, at {host}:{port}, {why}"
        self._answer(self._exchange.error(502, "BadGateway", said))

    def _answer(self, reply: bytes) -> None:
        if self._exchange.ours_is_last:
            self._say_last(reply)
        else:
            self._exchange.reply, self._phase = reply, Phase.DRAIN

    def _drain(self) -> bool:
        """Read the body to its end before answering: most clients read nothing until then."""
        exchange = self._exchange
        self._inbox = self._inbox[exchange.take(self._inbox) :]
        if exchange.body.done:
            self._phase = Phase.HEAD
            self._wire.write(exchange.reply or b"")
        return exchange.body.done

    def _reject(self, error: Malformed) -> None:
        if self._phase is Phase.BODY and self._exchange.begun:
            self._wire.abort()
            return
        self._say_last(refusal(error))

    def _say_last(self, data: bytes) -> None:
        self._wire.write(data)
        self._finish()

    def _finish(self) -> None:
        self._phase = Phase.LINGER
        self._drop_upstream()
        self._wire.linger()

    def _drop_upstream(self) -> None:
        upstream, self._upstream, self._upstream_full = self._upstream, None, False
        if upstream:
            upstream.drop()
