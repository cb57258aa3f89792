"""One client's connection to the AWS API proxy: its requests, one after the other.

    HEAD ─► DECIDE ─┬─► DIAL ─► BODY ─► RESPONSE ─► HEAD     passed on
                    ├─► DELAY ─► DECIDE                      by the other rules, then
                    ├─► HANG                                 until the rule or the client goes
                    ├─► DRAIN ─► HEAD                        answered here
                    └─► LINGER                               over: what still comes is thrown away

A call that hangs is never passed on later, not even when its rule goes: its caller has given up
or will time out, and a write that takes effect minutes after it was seen to fail is what no real
outage does. Its connection is closed then, as connections through a real outage end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from chaos.proxies.exchange import Exchange, Phase, Seen
from chaos.proxies.framing import HeadTooLong, Malformed, end_of_head, parse_request, response
from chaos.proxies.rules import DEFAULT_CODE, DEFAULT_STATUS, Rule, Rules
from chaos.proxies.upstream import Unreachable, Upstream, dial
from chaos.proxies.wire import Wire

# Bytes held of a request that waits; above it, nothing more is read.
INBOX = 64 * 1024


@dataclass(slots=True, kw_only=True, eq=False)
class Door:
    """What the connections of one proxy share."""

    upstream: tuple[str, int]
    rules: Rules
    seen: Seen | None
    requests: int = 0
    connections: set[Connection] = field(default_factory=set)


class Connection(asyncio.Protocol):
    """Reads requests, lets the rules decide, and passes bytes on without keeping them."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._wire: Wire
        self._full = False  # the client does not keep up
        self._inbox = b""
        self._phase = Phase.HEAD
        self._exchange: Exchange
        self._held: tuple[str, Rule] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._upstream: Upstream | None = None
        self._upstream_full = False
        self.dialing: asyncio.Task[None] | None = None

    @property
    def buffered(self) -> int:
        """Bytes held on their way, in both directions."""
        upstream = self._upstream.buffered if self._upstream else 0
        return len(self._inbox) + self._wire.buffered + upstream

    def abort(self) -> None:
        """End it at once."""
        self._wire.abort()

    def rules_changed(self) -> None:
        """Let go of a request whose rule no longer stands."""
        if self._held is None or self._door.rules.get(self._held[0]) == self._held[1]:
            return
        if self._phase is Phase.HANG:
            self._wire.close()
        else:
            self._let_go()

    # Events of the client's side.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream's
        self._wire = Wire(transport)
        self._door.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._inbox = self._inbox + data if self._inbox else data
        self._advance()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  # all ends are one
        self._door.connections.discard(self)
        self._phase = Phase.LINGER
        self._wire.lost()
        self._stop_waiting()
        self._drop_upstream()
        if self.dialing:
            self.dialing.cancel()

    def pause_writing(self) -> None:
        self._hold_back(True)

    def resume_writing(self) -> None:
        self._hold_back(False)

    def _hold_back(self, full: bool) -> None:
        self._full = full
        if self._upstream:
            self._upstream.read(not full)
        self._regulate()

    # Events of the upstream's side.

    def response_begins(self, status: int) -> None:
        self._exchange.begun = True
        if self._door.seen:
            self._door.seen(self._exchange.request, self._exchange.content(), status)

    def relay(self, data: bytes) -> None:
        self._wire.write(data)

    def response_ended(self) -> None:
        self._exchange.ended = True
        if self._phase is Phase.RESPONSE:
            self._phase = Phase.HEAD
            self._advance()

    def upstream_full(self, full: bool) -> None:
        self._upstream_full = full
        self._regulate()

    def upstream_lost(self, why: str) -> None:
        self._upstream, self._upstream_full = None, False
        if self._phase in (Phase.BODY, Phase.RESPONSE):
            if self._exchange.begun:
                self._finish()
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
        self._regulate()

    def _step(self) -> bool:
        """One step; whether another can be taken now."""
        match self._phase:
            case Phase.HEAD:
                return self._read_head()
            case Phase.DECIDE:
                return self._decide()
            case Phase.BODY:
                return self._send()
            case Phase.DRAIN:
                return self._drain()
            case Phase.HANG | Phase.LINGER:
                self._inbox = b""
        return False

    def _regulate(self) -> None:
        waiting = self._full or self._upstream_full or len(self._inbox) > INBOX
        self._wire.read(not waiting)

    def _read_head(self) -> bool:
        self._inbox = self._inbox.lstrip(b"\r\n")  # some clients end a body with one too many
        end = end_of_head(self._inbox)
        if end < 0:
            return False
        self._exchange = Exchange(parse_request(self._inbox[:end]))
        self._inbox = self._inbox[end:]
        self._door.requests += 1
        self._phase = Phase.DECIDE
        return True

    def _decide(self) -> bool:
        exchange = self._exchange
        if not exchange.identify(self._inbox):
            return False
        found = self._door.rules.match(exchange.request, exchange.passed)
        if found is None:
            self._forward()
        else:
            self._apply(*found)
        return True

    def _apply(self, id: str, rule: Rule) -> None:  # noqa: A002  # its name in the protocol
        if rule.action == "refuse":
            self._phase = Phase.LINGER
            self._wire.reset()
        elif rule.action == "error":
            status, code = rule.status or DEFAULT_STATUS, rule.code or DEFAULT_CODE
            self._answer(status, code, f"fault injected by the rule {id!r}")
        elif rule.action == "hang":
            self._held, self._phase = (id, rule), Phase.HANG
            self._drop_upstream()
        else:
            self._held, self._phase = (id, rule), Phase.DELAY
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(rule.seconds or 0, self._delayed, id)

    def _delayed(self, id: str) -> None:  # noqa: A002  # as above
        self._exchange.passed.add(id)
        self._let_go()

    def _let_go(self) -> None:
        self._stop_waiting()
        self._phase = Phase.DECIDE
        self._advance()

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
            upstream.read(not self._full)
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
            self._phase = Phase.HEAD if exchange.ended else Phase.RESPONSE
        return exchange.body.done

    # Answers of our own, and ends.

    def _gateway_error(self, why: str) -> None:
        host, port = self._door.upstream
        self._answer(502, "BadGateway", f"the AWS API behind the proxy, at {host}:{port}, {why}")

    def _answer(self, status: int, code: str, message: str) -> None:
        reply = self._exchange.error(status, code, message)
        if self._exchange.last:
            self._say_last(reply)
        else:
            self._exchange.reply, self._phase = reply, Phase.DRAIN

    def _drain(self) -> bool:
        """Read the body to its end before answering: most clients read nothing until then."""
        exchange = self._exchange
        self._inbox = self._inbox[exchange.take(self._inbox) :]
        if exchange.body.done:
            self.relay(exchange.reply)
            self._phase = Phase.HEAD
        return exchange.body.done

    def _reject(self, error: Malformed) -> None:
        if self._phase is Phase.BODY and self._exchange.begun:
            self._wire.abort()
            return
        text = f"the proxy of the AWS API cannot read this request: {error}\n".encode()
        status = 431 if isinstance(error, HeadTooLong) else 400
        kind = {"Content-Type": "text/plain; charset=utf-8"}
        self._say_last(response(status, kind, text, keep_alive=False))

    def _say_last(self, data: bytes) -> None:
        self.relay(data)
        self._finish()

    def _finish(self) -> None:
        self._phase = Phase.LINGER
        self._drop_upstream()
        self._wire.linger()

    def _drop_upstream(self) -> None:
        upstream, self._upstream, self._upstream_full = self._upstream, None, False
        if upstream:
            upstream.drop()

    def _stop_waiting(self) -> None:
        self._held = None
        if self._timer:
            self._timer.cancel()
