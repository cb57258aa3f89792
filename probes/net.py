"""The workload's view of the network, as one probe sees it: names, connections, the AWS API.

Everything that a probe does outside its own process goes through here, so that a lab can stand
in for the real network and a test can hand in a fake.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from probes.hosts import Server, is_address
from probes.names import Names, family_of
from probes.probe import Attempt, ProbeFailed

P = TypeVar("P", bound=asyncio.BaseProtocol)


class AwsCall(Protocol):
    """One AWS API operation, sent once; an error of the service carries its `code`."""

    async def __call__(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]: ...


class Net:
    """The network as it is, or as a lab shows it; one for each probe, with its own name cache.

    `ports` says where a lab's addresses (127.0.0.0/8 without 127.0.0.1) really listen: ports
    below 1024 need root, so a lab's port 80 is another one. `aws` is the door to the AWS API.
    """

    __slots__ = ("_aws", "_ports", "names")

    def __init__(
        self,
        *,
        names: Names | None = None,
        ports: Mapping[int, int] = MappingProxyType({}),
        aws: AwsCall | None = None,
    ) -> None:
        self.names = names or Names()
        self._ports = ports
        self._aws = aws

    @property
    def resolver(self) -> Server:
        """The DNS server that the workload asks: address and port."""
        return self.names.server

    async def address(self, host: str, attempt: Attempt) -> str:
        """The first address of `host`, in the phase name; it is told in the attempt's detail.

        Raises ProbeFailed when it has none, OSError when nobody can be asked.
        """
        address = host
        if not is_address(host):
            with attempt.phase("name"):
                address = await self.names.address(host)
            attempt.name_at = self.names.learned(host)
        attempt.detail["address"] = address
        return address

    def route(self, address: str, port: int) -> tuple[str, int]:
        """Where `address` and `port` really are."""
        if address.startswith("127.") and address != "127.0.0.1":
            port = self._ports.get(port, port)
        return address, port

    async def connect(
        self,
        make_protocol: Callable[[], P],
        host: str,
        port: int,
        attempt: Attempt,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
    ) -> tuple[asyncio.Transport, P]:
        """One connection to the first address of `host`, in the phases name, connect and tls.

        `server_name` (default: the host) is what TLS asks for and verifies. The caller bounds
        the time and aborts the transport. Raises ProbeFailed or OSError (ssl.SSLError is one).
        """
        address = await self.address(host, attempt)
        loop = asyncio.get_running_loop()
        sock = socket.socket(family_of(address), socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            with attempt.phase("connect"):
                await loop.sock_connect(sock, self.route(address, port))
        except BaseException:
            sock.close()
            raise
        # From here on the transport owns the socket, also when the handshake fails.
        with attempt.phase("tls") if tls else nullcontext():
            return await loop.create_connection(
                make_protocol,
                sock=sock,
                ssl=tls,
                server_hostname=(server_name or host.rstrip(".")) if tls else None,
            )

    async def aws(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One AWS API call, sent once; raises ProbeFailed when the service refuses or fails."""
        if self._aws is None:
            raise RuntimeError("this net has no door to the AWS API")
        try:
            return await self._aws(service, region, operation, **params)
        except Exception as error:
            # The caller's own errors are not known here, but one that has the service's error
            # code says something about the system; anything else is a defect.
            if not hasattr(error, "code"):
                raise
            raise ProbeFailed(str(error)) from error
