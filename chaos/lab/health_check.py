"""A Route 53 health check: its settings, and one request of one checker.

The limits are those of "How Amazon Route 53 determines whether a health check is healthy".
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import quote

import httptools

from chaos.errors import EnvironmentFailed

CheckType = Literal["HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP", "CALCULATED"]

# Seconds, and bytes of the body in which the string is looked for.
TCP_CONNECT_WITHIN = 10.0
CONNECT_WITHIN = 4.0
STATUS_WITHIN = 2.0
BODY_WITHIN = 2.0
SEARCHED_BYTES = 5120

DOMAIN_NAME = re.compile(r"(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})*\.?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Settings of one check; `interval` is in seconds, from an answer to the next request."""

    id: str
    name: str
    type: CheckType
    ip: str | None = None
    fqdn: str = ""
    port: int = 80
    path: str = "/"
    search: bytes = b""
    sni: bool = False
    interval: float = 30.0
    threshold: int = 3
    inverted: bool = False
    disabled: bool = False
    children: tuple[str, ...] = ()
    needed: int = 0  # of a calculated check: how many children must be healthy


def read_health_check(given: Mapping[str, Any], name: str = "") -> HealthCheck:
    """A check as ListHealthChecks has it; raises EnvironmentFailed for what the lab cannot do."""
    config, what = given["HealthCheckConfig"], f"health check {given['Id']}"
    kind, path = config["Type"], config.get("ResourcePath") or "/"
    ip, fqdn = config.get("IPAddress"), config.get("FullyQualifiedDomainName") or ""
    if kind not in get_args(CheckType):
        raise EnvironmentFailed(
            f"{what} is of type {kind}, which the lab does not have;"
            f" it has {', '.join(get_args(CheckType))}"
        )
    check = HealthCheck(
        id=given["Id"],
        name=name or fqdn or ip or given["Id"],
        type=kind,
        ip=ip,
        fqdn=fqdn,
        port=config.get("Port") or (443 if kind.startswith("HTTPS") else 80),
        path=path if path.startswith("/") else f"/{path}",
        search=(config.get("SearchString") or "").encode(),
        sni=bool(config.get("EnableSNI")),
        interval=float(config.get("RequestInterval") or 30),
        threshold=config.get("FailureThreshold") or 3,
        inverted=bool(config.get("Inverted")),
        disabled=bool(config.get("Disabled")),
        children=tuple(config.get("ChildHealthChecks") or ()),
        needed=config.get("HealthThreshold") or 0,
    )
    if kind != "CALCULATED" and (problem := _unreachable(check)):
        raise EnvironmentFailed(f"{what} {problem}")
    return check


def _unreachable(check: HealthCheck) -> str:
    """Why no request of this check could ever be made; an emulator takes what AWS would not."""
    if check.ip is not None:
        try:
            ipaddress.ip_address(check.ip)
        except ValueError:
            return f"has the IP address {check.ip!r}, which is none"
    elif not check.fqdn:
        return "has neither an IP address nor a domain name"
    if check.fqdn and not DOMAIN_NAME.fullmatch(check.fqdn):
        return f"has the domain name {check.fqdn!r}, which is none"
    return "" if 0 < check.port < 65536 else f"has the port {check.port}, which is none"


async def passes(check: HealthCheck, address: tuple[str, int]) -> bool:
    """Make one request to (ip, port), a new connection each; False for whatever goes wrong."""
    try:
        if check.type == "TCP":
            (await _connected(address, TCP_CONNECT_WITHIN)).close()
            return True
        return await _answers(check, await _connected(address, CONNECT_WITHIN))
    except OSError:  # refused, reset, timed out, no TLS
        return False


async def _connected(address: tuple[str, int], within: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        async with asyncio.timeout(within):
            await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _answers(check: HealthCheck, sock: socket.socket) -> bool:
    loop, answer = asyncio.get_running_loop(), _Answer()
    async with asyncio.timeout(STATUS_WITHIN) as deadline:
        reader, writer = await asyncio.open_connection(sock=sock, **_tls(check))
        try:
            writer.write(_request(check))
            await answer.read(reader, lambda: answer.status > 0)
            if not 200 <= answer.status < 400:
                return False
            if not check.type.endswith("_STR_MATCH"):
                return True
            deadline.reschedule(loop.time() + BODY_WITHIN)
            await answer.read(reader, lambda: len(answer.body) >= SEARCHED_BYTES)
            return check.search in answer.body[:SEARCHED_BYTES]
        finally:
            writer.transport.abort()  # no goodbye: an answer without end must not hold it open


def _tls(check: HealthCheck) -> dict[str, Any]:
    if not check.type.startswith("HTTPS"):
        return {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # as Route 53: a certificate is not what is checked
    return {"ssl": context, "server_hostname": check.fqdn if check.sni else ""}


def _request(check: HealthCheck) -> bytes:
    default = 443 if check.type.startswith("HTTPS") else 80
    host = check.fqdn or check.ip or ""
    lines = [
        f"GET {quote(check.path, safe=string.punctuation)} HTTP/1.1",
        f"Host: {host}" if check.port == default else f"Host: {host}:{check.port}",
        f"User-Agent: Amazon-Route53-Health-Check-Service (ref {check.id})",
        "Accept: */*",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class _Answer:
    """As much of an HTTP answer as was wanted and came."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self._complete = False
        self._parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, part: bytes) -> None:
        self.body += part[: SEARCHED_BYTES - len(self.body)]

    def on_message_complete(self) -> None:
        self._complete = True

    async def read(self, reader: asyncio.StreamReader, enough: Callable[[], bool]) -> None:
        """Read until there is enough or no more; what is no HTTP ends it."""
        while not enough() and not self._complete:
            data = await reader.read(SEARCHED_BYTES)
            if not data:
                return
            try:
                self._parser.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                return
