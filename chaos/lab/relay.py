"""One connection passed on, byte for byte, between a client and what stands behind an address.

    client ── near │ Relay │ far ── instance

While a gate on its way drops, a relay is frozen: nothing is read and nothing is closed, and then
it goes on. What was read before is still delivered, as packets are that were past the cut.
The rule of its link can freeze or reset it too, or hold back what the instance answers.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Literal

from chaos.lab.gates import Gate, first_closed
from chaos.lab.links import Link

# With it, closing a socket sends RST instead of FIN.
LINGER_0 = struct.pack("ii", 1, 0)

Hold = Literal["frozen", "hanging", "late", "waiting", "full"]


class End(asyncio.Protocol):
    """One of a relay's two connections."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._holds: set[Hold] = set()
        self.transport: asyncio.Transport | None = None
        self.finished = False  # the peer has said all that it had to say
        self.other: End
        self._held_back = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a stream's always is
        self.transport = transport
        if self._holds:
            transport.pause_reading()
            # Before Python 3.11.3 the transport begins to read right after this all the same, and
            # what came before there is somebody to pass it to would be lost.
            asyncio.get_running_loop().call_soon(self._pause_again)
        if self._relay.ended:  # while the connection was being made
            _abort(transport)

    def _pause_again(self) -> None:
        if self._holds and self.transport is not None:
            self.transport.resume_reading()
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        late = self._relay.lateness(self)
        if late > 0:
            self._held_back = data
            self.hold("late")
            self._timer = asyncio.get_running_loop().call_later(late, self.let_go)
        elif self.other.transport is not None:
            self.other.transport.write(data)

    def let_go(self) -> None:
        """Pass on what is held back now, and go on reading."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            if self.other.transport is not None:
                self.other.transport.write(self._held_back)
            self._held_back = b""
            self.release("late")

    def forget(self) -> None:
        """What is held back will not be passed on any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def eof_received(self) -> bool:
        self.finished = True
        if self.other.finished:
            return False  # asyncio closes it, and `connection_lost` the other
        if self.other.transport is not None:
            self.other.transport.write_eof()
        return True  # the other direction goes on

    def pause_writing(self) -> None:
        self.other.hold("full")

    def resume_writing(self) -> None:
        self.other.release("full")

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.lost(self, reset=exc is not None)

    def hold(self, why: Hold) -> None:
        """Read nothing until every reason for it has been released."""
        self._holds.add(why)
        if self.transport is not None:
            self.transport.pause_reading()

    def release(self, why: Hold) -> None:
        """Take one reason back."""
        self._holds.discard(why)
        if not self._holds and self.transport is not None:
            self.transport.resume_reading()


class Relay:
    """A client's connection through some gates, and the one to the backend once there is one."""

    def __init__(
        self, gates: tuple[Gate, ...], on_end: Callable[[Relay], None], link: Link | None = None
    ) -> None:
        self._link = Link() if link is None else link
        self._answer_due = True  # nothing has come back since the client said something
        self._gates: tuple[Gate, ...] = ()
        self._on_end = on_end
        self._frozen = False
        self._answered = False  # by an error
        self._ended = False
        self.near, self.far = End(self), End(self)
        self.near.other, self.far.other = self.far, self.near
        self.near.hold("waiting")  # until there is somebody to pass it to
        self._link.passing.add(self)
        self._meet()
        self.through(gates)

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ended

    def through(self, gates: tuple[Gate, ...]) -> None:
        """It passes through these gates too, further in."""
        if self._ended:
            return
        self._gates += gates
        for gate in gates:
            gate.guarded.add(self)
        self.gate_changed()

    def connected(self) -> None:
        """The backend is there."""
        self.near.release("waiting")

    def settle(self) -> None:
        """A connection is counted when it is cut, so there is nothing to tell."""

    def gate_changed(self) -> None:
        """Freeze, go on or be reset, as the outermost closed gate wants it."""
        gate = first_closed(self._gates)
        if gate is None:
            self._frozen = False
            self.near.release("frozen")
            self.far.release("frozen")
        elif gate.state == "refuse":
            gate.hits += 1
            self.reset()
        elif not self._frozen:
            gate.hits += 1
            self._frozen = True
            self.near.hold("frozen")
            self.far.hold("frozen")

    def link_changed(self) -> None:
        """Do what the rule wants of a connection that stands; new ones alone are told an error."""
        self.far.let_go()
        for end in (self.near, self.far):
            end.release("hanging")
        if self._link.rule and self._link.rule.action == "error":
            self._link.hit()
            self.reset()
        elif self._answered:
            self.reset()
        else:
            self._meet()

    def error(self) -> int | None:
        """The status that all requests get now; from here on they are answered with it alone."""
        status = self._link.rule.status if self._link.rule else None
        self._answered = status is not None
        return status

    def met(self) -> None:
        """The link's rule has done its work once more."""
        self._link.hit()

    def lateness(self, end: End) -> float:
        """For how many seconds to hold back what has come: on a slow link an answer's beginning."""
        due, self._answer_due = self._answer_due, end is self.near
        return self._link.lateness() if due and end is self.far else 0.0

    def _meet(self) -> None:
        """Be frozen, or reset, as the link's rule wants it."""
        action = self._link.rule and self._link.rule.action
        if action == "refuse":
            self._link.hit()
            self.reset()
        elif action == "hang":
            self._link.hit()
            for end in (self.near, self.far):
                end.hold("hanging")

    def reset(self) -> None:
        """End it at once; the client gets an RST."""
        self.lost(self.far, reset=True)

    def lost(self, end: End, *, reset: bool) -> None:
        """One end is gone: the other follows, by FIN when what it has to send is sent, or RST."""
        if self._ended:
            return
        self._ended = True
        self._link.passing.discard(self)
        self.far.forget()
        for gate in self._gates:
            gate.guarded.discard(self)
        other = end.other.transport
        if other is not None and reset:
            _abort(other)
        elif other is not None:
            other.close()
        if end.transport is not None:
            end.transport.abort()
        self._on_end(self)


def _abort(transport: asyncio.Transport) -> None:
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None and sock.family == socket.AF_INET and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    transport.abort()
