"""What the rules make of the requests on one client's connection.

    DECIDE ─┬─► passed on (`chaos.proxies.passing`), and perhaps the answer is slowed or cut
            ├─► DELAY ─► DECIDE                      by the other rules, then
            ├─► HANG                                 until the rule or the client goes
            ├─► DRAIN ─► HEAD                        answered, or reset, once it is read
            └─► ADMIN ─► HEAD                        it is for the proxy itself

A call that hangs is never passed on later, not even when its rule goes: its caller has given up
or will time out, and a write that takes effect minutes after it was seen to fail is what no real
outage does. Its connection is closed then, as connections through a real outage end.

A rule that goes harms nothing any more: a delayed call goes on, a slowed answer comes at once, an
answer that was to be lost or cut, and is not yet, comes whole.
"""

from __future__ import annotations

import asyncio

from chaos.loops import early_by
from chaos.proxies.admin import admin_path
from chaos.proxies.answer import Answer
from chaos.proxies.door import Door
from chaos.proxies.effect import Effect
from chaos.proxies.exchange import MAX_ADMIN, Exchange, Phase
from chaos.proxies.framing import response
from chaos.proxies.grip import Grip, Hold
from chaos.proxies.passing import Passing
from chaos.proxies.queue_urls import QueueUrls, has_queue_urls
from chaos.proxies.rules import DEFAULT_CODE, DEFAULT_STATUS

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Where an answer may be under way.
ANSWERING = (Phase.BODY, Phase.RESPONSE)


class Connection(Passing):
    """Lets the rules decide on each request, and carries out what they say."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self._held: Hold | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def buffered(self) -> int:
        return super().buffered + self._answer_waits()

    def rules_changed(self) -> None:
        if self._phase in (Phase.HEAD, Phase.LINGER) or (grip := self._exchange.grip) is None:
            return
        if self._held and not grip.stands(self._held):
            self._let_go()
        elif grip.lift() and self._exchange.answer:
            self._exchange.answer.change(grip.rate, whole=grip.end is None)

    def connection_lost(self, error: Exception | None) -> None:
        if self._phase in ANSWERING and self._exchange.answer:
            self._exchange.answer.stop()
        super().connection_lost(error)
        self._stop_waiting()

    # Before the request is passed on.

    def _step(self) -> bool:
        if self._phase is Phase.HANG:
            self._inbox = b""
        return self._ask_admin() if self._phase is Phase.ADMIN else super()._step()

    def _may_pass(self) -> bool:
        exchange = self._exchange
        body = self._asked[len(exchange.head.raw) :]
        exchange.identify(body)
        effect = self._door.rules.decide(exchange.request)
        if effect is None:
            return True
        self._looked, self._inbox = Exchange(exchange.head, exchange.request), body
        self._phase = Phase.DECIDE
        self._meet(effect)
        self._advance()
        return False

    def _decide(self) -> bool:
        door, exchange = self._door, self._exchange
        if door.keeps_queues and has_queue_urls(exchange.head):
            exchange.queue_urls = QueueUrls(exchange.head.headers.get(b"host", b""))
        if door.admin and admin_path(exchange.head.target):
            self._enter_admin(exchange)
        elif not (door.seen or door.rules.items()):
            self._forward()
        elif not exchange.identify(self._inbox):
            return False
        elif effect := door.rules.decide(exchange.request, exchange.passed):
            self._meet(effect)
        else:
            self._forward()
        return True

    def _meet(self, effect: Effect) -> None:
        grip = self._exchange.grip = self._exchange.grip or Grip(self._door.rules)
        hold = grip.take(effect)
        if effect.delay:
            self._held, self._phase = hold, Phase.DELAY
            loop = asyncio.get_running_loop()
            late = early_by(loop)
            self._timer = loop.call_later(effect.delay + late, self._delayed, grip, hold)
        else:
            self._strike(grip, hold)

    def _delayed(self, grip: Grip, hold: Hold) -> None:
        self._stop_waiting()
        self._phase = Phase.DECIDE
        self._strike(grip, hold)
        self._advance()

    def _strike(self, grip: Grip, hold: Hold) -> None:
        effect = hold.effect
        if effect.action == "pass":
            grip.passed.add(effect.rule)
            if effect.rate:
                grip.await_answer(hold)
        elif effect.action == "refuse":
            self._reset()
        elif effect.forward or effect.after or effect.action == "truncate":
            grip.await_answer(hold)
            self._forward()
        else:
            self._end_here(hold)

    def _end_here(self, hold: Hold) -> None:
        """The request has no answer from upstream, or none any more."""
        effect, exchange = hold.effect, self._exchange
        if effect.action == "hang":
            self._held, self._phase = hold, Phase.HANG
            self._drop_upstream()
        elif effect.action == "error":
            status, code = effect.status or DEFAULT_STATUS, effect.code or DEFAULT_CODE
            said = effect.message or f"fault injected by the rule {effect.rule!r}"
            self._answer(exchange.error(status, code, said))
        elif exchange.ours_is_last and not exchange.body.done:
            self._reset()
        else:
            exchange.reply, self._phase = None, Phase.DRAIN

    def _let_go(self) -> None:
        self._stop_waiting()
        if self._phase is Phase.HANG:
            self._wire.close()
        else:
            self._phase = Phase.DECIDE
            self._advance()

    def _stop_waiting(self) -> None:
        self._held = None
        if self._timer:
            self._timer.cancel()

    # The answer on its way back.

    def response_begins(self, status: int, size: int) -> None:
        super().response_begins(status, size)
        exchange = self._exchange
        if exchange.queue_urls:
            exchange.queue_urls.begin(size)
        if exchange.grip is None:
            return
        end, rate = exchange.grip.end, exchange.grip.rate
        if end and end.effect.after == 0 and end.effect.action != "truncate":
            self._drop_upstream()
            self._end_here(end)
            self._advance()
        elif end or rate:
            exchange.cut = end.effect if end else None
            exchange.answer = Answer(self._wire.write, self._settle)
            exchange.answer.begin(size, rate, end.effect.after if end else None)

    def relay(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange.queue_urls and exchange.begun:
            data = exchange.queue_urls.feed(data)
        self._pass_back(data)

    def response_ended(self, last: bool) -> None:
        if queue_urls := self._exchange.queue_urls:
            self._pass_back(queue_urls.whole())
        super().response_ended(last)

    def _pass_back(self, data: bytes) -> None:
        answer = self._exchange.answer
        if answer is None:
            self._wire.write(data)
        else:
            answer.feed(data)
            self._settle()

    def _settle(self) -> None:
        """Go on when nothing of the answer waits any more."""
        exchange = self._exchange
        if not self._answer_waits():
            if exchange.answer and exchange.answer.cut:
                self._cut_off(exchange)
            elif exchange.broken:
                self._finish()
            elif exchange.ended:
                self._complete()
        self._regulate()

    def _complete(self) -> None:
        spared, self._exchange.cut = self._exchange.cut, None
        if spared:  # the answer was too short for it
            self._door.rules.spare(spared.rule)
        super()._complete()

    def _cut_off(self, exchange: Exchange) -> None:
        if exchange.cut and exchange.cut.action == "reset":
            self._phase = Phase.LINGER
            self._drop_upstream()
            self._wire.reset_when_sent()
        else:
            self._finish()

    def _break_off(self) -> None:
        if queue_urls := self._exchange.queue_urls:
            self._pass_back(queue_urls.rest())
        if self._answer_waits():
            self._exchange.broken = True
        else:
            self._finish()

    def _answer_waits(self) -> int:
        """Bytes of a slowed answer that are still to come."""
        answer = self._exchange.answer if self._phase in ANSWERING else None
        return len(answer.waiting) if answer else 0

    # Ends, and requests to the proxy itself.

    def _reset(self) -> None:
        self._phase = Phase.LINGER
        self._wire.reset()

    def _drain(self) -> bool:
        done = super()._drain()
        if done and self._exchange.reply is None:
            self._reset()
        return done

    def _enter_admin(self, exchange: Exchange) -> None:
        self._phase = Phase.ADMIN
        self._door.requests -= 1  # it is no call of the AWS API
        exchange.keep_all()
        if exchange.head.expects_continue and (exchange.head.length or 0) <= MAX_ADMIN:
            self._wire.write(CONTINUE)

    def _ask_admin(self) -> bool:
        exchange, admin = self._exchange, self._door.admin
        self._inbox = self._inbox[exchange.take(self._inbox) :]
        if (exchange.head.length or 0) > MAX_ADMIN or exchange.kept > MAX_ADMIN:
            said = f"the proxy takes at most {MAX_ADMIN} bytes\n".encode()
            self._say_last(response(413, {"Content-Type": "text/plain"}, said, keep_alive=False))
        elif exchange.body.done and admin:
            self._answer(exchange.ask(admin))
        return exchange.body.done
