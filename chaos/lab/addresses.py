"""Addresses in 127.0.0.0/8 that behave as on a network that can be cut. Linux only.

An address is a listening socket of its own for all its life. What the kernel does with it:

open     connections are accepted and passed on to the backend
drop     the accept queue is full, so the kernel drops every SYN and a connect hangs; connections
         that stand are frozen, and go on afterwards
refuse   the socket does not listen, so the kernel answers RST; connections that stand are reset

Nothing of this needs root, and packets dropped are counted by the kernel, for each socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Awaitable, Callable

from chaos.errors import EnvironmentFailed
from chaos.lab import error_answers
from chaos.lab.gates import Gate, State, first_closed
from chaos.lab.links import Link
from chaos.lab.relay import Relay

BACKLOG = 128
ACCEPT_AGAIN_S = 1.0  # of the lab, when the process has run out of file descriptors
SO_MEMINFO = 55  # linux/sock_diag.h: nine counters of the socket, the last is SK_MEMINFO_DROPS
MEMINFO = struct.Struct("=9I")

# Connects a relay to the backend, and gives the gates that lie on the way there.
Connect = Callable[[Relay], Awaitable[tuple[Gate, ...]]]
# The link on which a peer with that address comes in.
Incoming = Callable[[str], Link]


def reserve(port: int) -> socket.socket:
    """A port that is free on all addresses (any one for 0), kept as long as the socket is.

    Raises EnvironmentFailed, as every Address does.
    """
    return _bound("", port)


def _bound(ip: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((ip, port))
    except OSError as error:
        sock.close()
        raise EnvironmentFailed(_why(ip, port, error)) from error
    return sock


def _why(ip: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of the lab's addresses (ports.http) is already taken"
        case errno.EACCES:
            return f"port {port} of the lab's addresses (ports.http) needs root; take one from 1024"
        case errno.EADDRNOTAVAIL:
            return f"the lab needs Linux: this system has no address {ip} on its loopback interface"
        case _:
            return f"the lab cannot have {ip}:{port}: {error.strerror}"


class Address:
    """One address with the lab's port; `up` says whether there is a host at all."""

    def __init__(
        self,
        ip: str,
        port: int,
        *,
        gates: tuple[Gate, ...],
        connect: Connect,
        incoming: Incoming = lambda _peer: Link(),
        up: bool = True,
    ) -> None:
        self.ip = ip
        self._incoming = incoming
        self._gates = gates
        self._connect = connect
        self._up = up
        self._sock = _bound(ip, port)
        self._state: State = "refuse"  # what a socket does that does not listen
        self._closed_by: Gate | None = None
        self._dropped = 0
        self._filler: socket.socket | None = None
        self._relays: set[Relay] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        for gate in gates:
            gate.guarded.add(self)
        self.gate_changed()

    @property
    def up(self) -> bool:
        """Whether there is a host; packets to one that is not there vanish."""
        return self._up

    @up.setter
    def up(self, up: bool) -> None:
        self._up = up
        self.gate_changed()

    def settle(self) -> None:
        """Count what the kernel has dropped for the gate that was closed."""
        dropped = self._dropped_by_kernel()
        if self._closed_by is not None and self._state == "drop":
            self._closed_by.hits += dropped - self._dropped
        self._dropped = dropped

    def gate_changed(self) -> None:
        """Do with packets what the outermost closed gate says."""
        self.settle()
        self._closed_by = first_closed(self._gates)
        if self._closed_by is not None:
            state = self._closed_by.state
        else:
            state = "open" if self._up else "drop"
        if state != self._state:
            self._shut()
            self._state = state
            {"open": self._open, "drop": self._drop, "refuse": self._refuse}[state]()

    async def close(self) -> None:
        """Give the socket back and end every connection."""
        for gate in self._gates:
            gate.guarded.discard(self)
        self._shut()
        self._sock.close()
        self._drop_filler()
        for task in self._connecting:
            task.cancel()
        for relay in list(self._relays):
            relay.reset()
        await asyncio.gather(*self._connecting, return_exceptions=True)

    def _open(self) -> None:
        self._sock.listen(BACKLOG)
        asyncio.get_running_loop().add_reader(self._sock, self._accept)

    def _drop(self) -> None:
        """Leave no place in the accept queue: a backlog of 0 is one place, which we take."""
        self._sock.listen(0)
        filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        filler.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            filler.connect(self._sock.getsockname())
        try:
            filler.getpeername()  # on loopback it is connected by now
            self._filler = filler
        except OSError:  # a client had taken the place before
            filler.close()
        self._dropped = self._dropped_by_kernel()  # not what we have sent ourselves

    def _refuse(self) -> None:
        with contextlib.suppress(OSError):  # it did not listen
            self._sock.shutdown(socket.SHUT_RDWR)
        self._drop_filler()

    def _drop_filler(self) -> None:
        if self._filler is not None:
            self._filler.close()
            self._filler = None

    def _dropped_by_kernel(self) -> int:
        data = self._sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size)
        dropped: int = MEMINFO.unpack(data)[-1]
        return dropped

    def _shut(self) -> None:
        """Accept no more; what waits in the queue already waits on."""
        asyncio.get_running_loop().remove_reader(self._sock)

    def _accept(self) -> None:
        for _ in range(BACKLOG):
            try:
                sock, peer = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no file descriptor is left: let the queue wait
                self._shut()
                asyncio.get_running_loop().call_later(ACCEPT_AGAIN_S, self._accept_again)
                return
            if self._filler is not None and peer == self._filler.getsockname():
                sock.close()
                self._drop_filler()
            else:
                self._admit(sock, peer[0])

    def _accept_again(self) -> None:
        if self._state == "open" and self._sock.fileno() >= 0:
            self._open()

    def _admit(self, sock: socket.socket, peer: str) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        relay = Relay(self._gates, self._relays.discard, self._incoming(peer))
        if not relay.ended:
            self._relays.add(relay)
        task = asyncio.create_task(self._serve(relay, sock))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _serve(self, relay: Relay, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: relay.near, sock)
        if relay.ended:
            return
        try:
            gates = await self._behind(relay)
        except OSError:  # TimeoutError is one
            relay.lost(relay.far, reset=False)
        else:
            relay.through(gates)
            relay.connected()

    async def _behind(self, relay: Relay) -> tuple[Gate, ...]:
        if (status := relay.error()) is None:
            return await self._connect(relay)
        await error_answers.connect(lambda: relay.far, status, relay.met)
        return ()
