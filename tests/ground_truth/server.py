"""Servers whose outages are scripted to the millisecond, in a process of their own.

    python -m ground_truth.server

Reads one line of scripts (JSON), tells where each listens, reads the moment that is zero, follows
the scripts, and writes what REALLY happened when its standard input ends: each change lies between
two readings of the machine's monotonic clock, taken before and after it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import dns.message
import dns.rrset
from ground_truth.scripts import NAME

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
PING, PONG, NO = b"PING", b"+PONG\r\n", b"-DOWN\r\n"
BACKLOG = 128


@dataclass(slots=True)
class Record:
    """What really happened: changes and answers, each between two readings of the clock."""

    turns: list[tuple[float, float]] = field(default_factory=list)  # the first one is down
    answers: list[tuple[float, float, bool]] = field(default_factory=list)  # of partial outages

    def met(self) -> None:
        """What was sent here last has come: it is no longer one that found nobody."""
        before, _, _ = self.answers[-1]
        self.answers[-1] = before, time.monotonic(), True


class System:
    """One server. `how` and the rest are those of a Script."""

    def __init__(self, script: dict[str, Any], address: str) -> None:
        self.script = script
        self.record = Record()
        self.up = asyncio.Event()
        self.up.set()
        self._turn = itertools.cycle([False, True])
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = (address, 0)
        self._listen()
        self.address = address, int(self.sock.getsockname()[1])

    @property
    def _refuses(self) -> bool:
        return self.script["how"] in ("refuse", "one of two addresses")

    async def follow(self, zero: float) -> None:
        """Go down and come back as the script says."""
        for moment in itertools.chain.from_iterable(self.script["downs"]):
            await asyncio.sleep(zero + moment / 1000 - time.monotonic())
            before = time.monotonic()
            self._change()
            self.record.turns.append((before, time.monotonic()))

    def _change(self) -> None:
        if self.up.is_set():
            self.up.clear()
            if self._refuses:
                asyncio.get_running_loop().remove_reader(self.sock)
                self.sock.close()
            return
        if self._refuses:
            self._listen()
        self.up.set()

    def _listen(self) -> None:
        # The address is this server's alone, so that nobody takes the port while it is closed.
        self.sock = socket.create_server(self.address, backlog=BACKLOG)
        self.sock.setblocking(False)
        asyncio.get_running_loop().add_reader(self.sock, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self.sock.accept()
        except (BlockingIOError, ConnectionError):
            return  # it has gone again
        if self.script["how"] == "one of two addresses":
            self.record.met()
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        connection.setblocking(False)
        with connection:
            try:
                request = await loop.sock_recv(connection, 65536)
                ok = await self._judged()
                if ok is not None:
                    answers = (NO, PONG) if request.startswith(PING) else (BAD, GOOD)
                    await loop.sock_sendall(connection, answers[ok])
            except ConnectionError:
                return  # who asked has gone

    async def _judged(self) -> bool | None:
        """Whether it answers well, as it is now; None: it closes without a word."""
        if self.script["how"] == "half of the answers":
            return self._half()
        if self.up.is_set() or self._refuses:
            return True  # what was accepted is answered
        match self.script["how"]:
            case "hang":
                await self.up.wait()
                return True if self.script["rescues"] else None
            case "slow":
                await asyncio.sleep(self.script["slow_ms"] / 1000)
                return True
        return False

    def _half(self) -> bool:
        before = time.monotonic()
        ok = self.up.is_set() or next(self._turn)
        self.record.answers.append((before, time.monotonic(), ok))
        return ok


class Rotating:
    """A DNS server of one name with two addresses, which it hands out in turn (RFC 1794)."""

    def __init__(self, addresses: list[str], record: Record) -> None:
        self._orders = itertools.cycle([addresses, addresses[::-1]])
        self._healthy = addresses[1]
        self._record = record
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((addresses[0], 0))
        asyncio.get_running_loop().add_reader(self.sock, self._answer)

    def _answer(self) -> None:
        """Answer, and note whether the address that will be used is the one without outages."""
        question, asker = self.sock.recvfrom(65535)
        answer = dns.message.make_response(dns.message.from_wire(question))
        order = next(self._orders)
        answer.answer.append(dns.rrset.from_text(f"{NAME}.", 0, "IN", "A", *order))
        before = time.monotonic()
        self.sock.sendto(answer.to_wire(want_shuffle=False), asker)
        self._record.answers.append((before, time.monotonic(), order[0] == self._healthy))


async def _stand(script: dict[str, Any], n: int) -> tuple[System, dict[str, Any]]:
    """A server, and where it is asked."""
    first, second = (f"127.77.{n // 100}.{n % 100 * 2 + 1 + m}" for m in range(2))
    system = System(script, first)
    port = system.address[1]
    where: dict[str, Any] = {"host": first, "port": port, "dns": None}
    if script["how"] == "one of two addresses":
        healthy = socket.create_server((second, port), backlog=BACKLOG)
        await asyncio.start_server(_answer_well, sock=healthy)
        names = Rotating([first, second], system.record)
        where |= {"host": NAME, "dns": names.sock.getsockname()}
    return system, where


async def _answer_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = await reader.read(65536)
    writer.write(PONG if request.startswith(PING) else GOOD)
    await writer.drain()
    writer.close()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    scripts = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    stood = [await _stand(script, n) for n, script in enumerate(scripts)]
    print(json.dumps([where for _, where in stood]), flush=True)
    zero = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    tasks = [loop.create_task(system.follow(zero)) for system, _ in stood]
    await loop.run_in_executor(None, sys.stdin.read)
    failed = [task.exception() for task in tasks if task.done() and task.exception()]
    if failed:
        raise ExceptionGroup("scripts", [error for error in failed if isinstance(error, Exception)])
    records = [{"turns": s.record.turns, "answers": s.record.answers} for s, _ in stood]
    print(json.dumps(records), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
