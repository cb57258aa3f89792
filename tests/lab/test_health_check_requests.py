"""One request of a health checker, against real sockets: what passes, and within what limits."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chaos.lab.health_check import HealthCheck, passes
from chaos.loops import run_at

HOST = "127.0.0.1"
WITHIN_S = 30.0  # seconds of the wall, for a test that hangs


def check(kind: str = "HTTP", **fields: Any) -> HealthCheck:
    return HealthCheck(**({"id": "hc-1", "name": "c", "type": kind, "ip": HOST} | fields))


@asynccontextmanager
async def endpoint(
    *parts: bytes | float, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that reads one request and says these parts, with pauses in seconds between."""
    requests: list[bytes] = []
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            for part in parts:
                if isinstance(part, float):
                    await asyncio.sleep(part)
                else:
                    writer.write(part)
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the checker has gone
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(begin, HOST, 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], requests
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def result(
    tried: HealthCheck,
    *parts: bytes | float,
    speed: float = 1,
    tls: ssl.SSLContext | None = None,
) -> bool:
    async def main() -> bool:
        async with asyncio.timeout(WITHIN_S * speed), endpoint(*parts, tls=tls) as (port, _):
            return await passes(tried, (HOST, port))

    return run_at(speed, main())


def ok(body: bytes, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), head, body)


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.0 301 Moved\r\nLocation: http://elsewhere.example/\r\n\r\n", True),
        (b"HTTP/1.1 399 Odd\r\n\r\n", True),
        (b"HTTP/1.1 200\r\n\r\n", True),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", False),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False),
        (b"HTTP/1.1 200 OK\r\n", False),  # it ends before the head does
        (b"", False),
    ],
)
def test_a_status_of_2xx_or_3xx_passes_and_nothing_else_does(answer: bytes, passed: bool) -> None:
    assert result(check(), answer) is passed


def test_the_status_must_come_within_two_seconds() -> None:
    assert not result(check(), 3600.0, ok(b""), speed=20)


def test_an_endless_body_does_not_hold_a_check_of_the_status() -> None:
    assert result(check(), b"HTTP/1.1 200 OK\r\n\r\n", *([b"x" * 10_000] * 100), 3600.0)


def test_nobody_there_fails_every_kind() -> None:
    with socket.socket() as deaf:
        deaf.bind((HOST, 0))
        for kind in ("HTTP", "HTTPS", "HTTP_STR_MATCH", "TCP"):
            assert not run_at(1, passes(check(kind), deaf.getsockname()))


@pytest.mark.parametrize(("kind", "seconds"), [("HTTP", 4), ("HTTPS", 4), ("TCP", 10)])
def test_a_connection_that_is_not_made_is_given_up_after(kind: str, seconds: float) -> None:
    async def main() -> tuple[bool, float]:
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as sockets:
            full = sockets.enter_context(socket.socket())
            full.bind((HOST, 0))
            full.listen(0)
            for _ in range(3):  # more than its queue holds: the next SYN gets no answer
                filler = sockets.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            began = loop.time()
            async with asyncio.timeout(WITHIN_S * 20):
                passed = await passes(check(kind), full.getsockname())
            return passed, loop.time() - began

    passed, took = run_at(20, main())
    assert not passed
    assert took >= seconds


def test_a_tcp_check_passes_when_the_connection_is_made() -> None:
    assert result(check("TCP"), 3600.0)


BODY = b"." * 5112 + b"PLAYBACK"  # 5,120 bytes


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        (ok(b"all is PLAYBACK here"), True),
        (ok(b"all is playback here"), False),
        (ok(b""), False),
        (ok(BODY), True),
        (ok(b"." + BODY), False),  # its last byte is the 5,121st
        (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, True),
        (b"HTTP/1.1 503 Sorry\r\nContent-Length: 8\r\n\r\nPLAYBACK", False),
        (b"HTTP/1.1 200 OK\r\nX: PLAYBACK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 8\r\n\r\nPLAYBACK", True),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s"
            % b"4\r\nPLAY\r\n4\r\nBACK\r\n0\r\n\r\n",
            True,
        ),
    ],
)
def test_the_string_must_be_in_the_first_5120_bytes_of_the_body(
    answer: bytes, passed: bool
) -> None:
    assert result(check("HTTP_STR_MATCH", search=b"PLAYBACK"), answer) is passed


def test_the_body_has_two_seconds_of_its_own() -> None:
    tried = check("HTTP_STR_MATCH", search=b"PLAYBACK")
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
    assert result(tried, 1.0, head, 1.4, b"PLAYBACK", speed=2)
    assert not result(tried, head, b"PLAY", 3600.0, b"BACK", speed=20)


# --- what is sent


@pytest.mark.parametrize(
    ("fields", "line", "host"),
    [
        ({}, "GET / HTTP/1.1", "127.0.0.1"),
        ({"fqdn": "api.stream.example"}, "GET / HTTP/1.1", "api.stream.example"),
        ({"fqdn": "a.example", "port": 8080}, "GET / HTTP/1.1", "a.example:8080"),
        ({"fqdn": "a.example", "port": 443}, "GET / HTTP/1.1", "a.example:443"),
        ({"path": "/health?deep=1&of=a%20b"}, "GET /health?deep=1&of=a%20b HTTP/1.1", "127.0.0.1"),
        ({"path": "/a b\r\nX: y"}, "GET /a%20b%0D%0AX:%20y HTTP/1.1", "127.0.0.1"),
    ],
)
def test_the_request_names_the_host_and_where_it_listens(
    fields: dict[str, Any], line: str, host: str
) -> None:
    async def main() -> list[str]:
        async with asyncio.timeout(WITHIN_S), endpoint(ok(b"")) as (port, requests):
            assert await passes(check(**fields), (HOST, port))
            return requests[0].decode().split("\r\n")

    first, *headers = run_at(1, main())
    assert first == line
    assert headers == [
        f"Host: {host}",
        "User-Agent: Amazon-Route53-Health-Check-Service (ref hc-1)",
        "Accept: */*",
        "Connection: close",
        "",
        "",
    ]


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for another name, of nobody, and expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other.example")])
    then = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(then)
        .not_valid_after(then + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize(("sni", "named"), [(True, "api.stream.example"), (False, None)])
def test_https_passes_whatever_the_certificate_and_names_the_host_if_told_to(
    expired: ssl.SSLContext, sni: bool, named: str | None
) -> None:
    names: list[str | None] = []
    expired.sni_callback = lambda _socket, name, _context: names.append(name)
    tried = check("HTTPS_STR_MATCH", fqdn="api.stream.example", sni=sni, search=b"fine")
    assert result(tried, ok(b"all fine"), tls=expired)
    assert names == [named]


def test_https_fails_where_there_is_no_tls() -> None:
    assert not result(check("HTTPS"), ok(b""), speed=20)


def test_a_tls_handshake_that_hangs_counts_as_no_answer() -> None:
    async def main() -> bool:
        with socket.socket() as hang:
            hang.bind((HOST, 0))
            hang.listen()  # the kernel makes the connection, and nobody says anything
            async with asyncio.timeout(WITHIN_S * 20):
                return await passes(check("HTTPS"), hang.getsockname())

    assert not run_at(20, main())
