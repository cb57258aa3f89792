"""The namespace from outside: takes its listeners, asks its helper for what is needed."""

from __future__ import annotations

import array
import asyncio
import json
import shutil
import socket
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from chaos.errors import EnvironmentFailed
from chaos.sandbox.forbidden import why_forbidden

WITHIN_S = 15.0
LARGEST = 1 << 16
MOST_FDS = 8
# Not in the PATH of a plain user on Debian.
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


class Namespace:
    """A network to be: `argv` starts the command in it, `opened` awaits its listeners."""

    def __init__(self, path: str) -> None:
        """Raises EnvironmentFailed where this cannot be; `path` is the PATH to look for nft in."""
        if sys.platform != "linux":
            raise EnvironmentFailed(
                "--transparent needs Linux: its network namespaces and nftables"
            )
        nft = shutil.which("nft", path=f"{path}:{SBIN}")
        if nft is None:
            raise EnvironmentFailed(
                "--transparent needs nft, which is not installed: apt-get install nftables"
            )
        self._nft = nft
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        self._turn = asyncio.Lock()

    @property
    def fds(self) -> tuple[int, ...]:
        """The descriptors that the started process must inherit."""
        return (self._theirs.fileno(),)

    def argv(self, command: list[str]) -> list[str]:
        """What to start so that it becomes the command, inside."""
        inside = Path(__file__).with_name("inside.py")
        return [sys.executable, "-IS", str(inside), str(self._theirs.fileno()), self._nft, *command]

    async def opened(self) -> tuple[socket.socket, socket.socket, socket.socket]:
        """Its listeners: TCP for all, then DNS by TCP and by UDP; raises EnvironmentFailed."""
        self._theirs.close()
        tcp, dns, udp = await self._answer()
        return tcp, dns, udp

    async def begin(self) -> None:
        """Let the command begin."""
        await asyncio.get_running_loop().sock_sendall(self._ours, b"begin")

    async def socket_inside(self) -> socket.socket:
        """A socket that dials inside, not redirected; raises EnvironmentFailed."""
        (sock,) = await self._ask(b"socket")
        return sock

    async def pass_loopback(self, ports: Collection[int]) -> None:
        """Connections to these loopback ports come to the TCP listener, others stay inside."""
        rules = "flush set ip chaos host\n"
        if ports:
            rules += f"add element ip chaos host {{ {', '.join(map(str, sorted(ports)))} }}\n"
        await self._ask(rules.encode())

    def close(self) -> None:
        """The helper inside ends with this."""
        self._ours.close()
        self._theirs.close()

    async def _ask(self, message: bytes) -> list[socket.socket]:
        async with self._turn:
            try:
                await asyncio.get_running_loop().sock_sendall(self._ours, message)
            except OSError as error:
                raise EnvironmentFailed(f"the helper in the namespace has gone: {error}") from error
            return await self._answer()

    async def _answer(self) -> list[socket.socket]:
        try:
            async with asyncio.timeout(WITHIN_S):
                answer, sockets = await self._receive()
        except TimeoutError as error:
            raise EnvironmentFailed("the namespace did not answer in time") from error
        if answer.get("failed") == "namespace":
            raise EnvironmentFailed(why_forbidden(answer["errno"], answer["why"]))
        if answer.get("failed") == "nft":
            raise EnvironmentFailed(f"nftables refused the redirection: {answer['why']}")
        return sockets

    async def _receive(self) -> tuple[dict[str, Any], list[socket.socket]]:
        await readable(self._ours)
        try:
            data, fds = _with_descriptors(self._ours)
        except OSError as error:
            raise EnvironmentFailed(f"the namespace has gone: {error}") from error
        sockets = [socket.socket(fileno=fd) for fd in fds]
        for sock in sockets:
            sock.setblocking(False)
        if not data:
            raise EnvironmentFailed("the namespace ended before the command began")
        answer: dict[str, Any] = json.loads(data)
        return answer, sockets


async def readable(sock: socket.socket) -> None:
    """Wait until there is something to read, or its end."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)


def _with_descriptors(sock: socket.socket) -> tuple[bytes, list[int]]:
    """One message with its descriptors, which no program of ours inherits."""
    fds = array.array("i")
    room = socket.CMSG_LEN(MOST_FDS * fds.itemsize)
    data, ancillary, _, _ = sock.recvmsg(LARGEST, room, socket.MSG_CMSG_CLOEXEC)
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    return data, list(fds)
