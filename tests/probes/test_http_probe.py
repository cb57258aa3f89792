from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.loops import run_at
from probes.http import Http
from probes.net import Net
from probes.probe import Attempt, ProbeFailed, Sample
from probes.schedule import run_probe

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DEADLINE = 30.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Region: us-west-2\r\n\r\nok"


# --- servers ------------------------------------------------------------------------------


def saying(answer: bytes, *, hang: bool = False, asked: list[bytes] | None = None) -> Handler:
    """A server that sends this for a request; it closes then, or keeps silent for good."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            if asked is not None:
                asked.append(request)
            writer.write(answer)
            await writer.drain()
            if hang:
                await reader.read()  # until the probe goes
        writer.close()

    return handle


def endless(head: bytes, more: bytes) -> Handler:
    """A server that never stops sending."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(head)
            while True:
                writer.write(more)
                await writer.drain()
        writer.close()

    return handle


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    await writer.drain()
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def serving(
    handler: Handler, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


# --- attempts -----------------------------------------------------------------------------


def run(main: Coroutine[Any, Any, Any], speed: float = 1) -> Any:
    return run_at(speed, asyncio.wait_for(main, DEADLINE * speed))


def made(port: int, path: str = "/", scheme: str = "http", **fields: Any) -> Http:
    return Http(kind="http", url=f"{scheme}://127.0.0.1:{port}{path}", **fields)


async def check(probe: Http, net: Net | None = None) -> Attempt:
    attempt = Attempt(run="r", probe="p", n=0)
    await probe.check(net or Net(), attempt)
    return attempt


def answered(handler: Handler, **fields: Any) -> Attempt:
    """One good attempt against that server."""

    async def main() -> Attempt:
        async with serving(handler) as port:
            return await check(made(port, **fields))

    attempt: Attempt = run(main())
    return attempt


def refused(handler: Handler, **fields: Any) -> str:
    """What a bad attempt says."""
    with pytest.raises(ProbeFailed) as failed:
        answered(handler, **fields)
    return str(failed.value)


async def first_sample(probe: Http, net: Net | None = None) -> Sample:
    """One attempt within the frame, which bounds it and words its errors."""
    got: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()
    origin = asyncio.get_running_loop().time()
    task = asyncio.create_task(
        run_probe(
            "p",
            probe,
            net or Net(),
            run="r",
            origin=origin,
            emit=lambda s: None if got.done() else got.set_result(s),
        )
    )
    try:
        return await got
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


# --- what is sent -------------------------------------------------------------------------


def test_the_request_is_one_of_its_own_and_asks_for_nothing_more() -> None:
    asked: list[bytes] = []
    answered(saying(OK, asked=asked), path="/a?b=c", headers={"X-Who": "me", "host": "api.test"})
    lines = asked[0].decode().split("\r\n")
    assert lines[0] == "GET /a?b=c HTTP/1.1"
    assert "Connection: close" in lines
    assert "Accept-Encoding: identity" in lines
    assert "X-Who: me" in lines
    assert [line for line in lines if line.lower().startswith("host:")] == ["host: api.test"]


def test_a_body_is_sent_with_its_length() -> None:
    bodies: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nContent-Length: 4\r\n" in head
        bodies.append(await reader.readexactly(4))
        writer.write(OK)
        writer.close()

    answered(handle, method="POST", body="né1")
    assert bodies == ["né1".encode()]


def test_an_empty_post_says_that_it_is_empty() -> None:
    asked: list[bytes] = []
    answered(saying(OK, asked=asked), method="POST")
    assert b"\r\nContent-Length: 0\r\n" in asked[0]


# --- what comes back ----------------------------------------------------------------------


def test_a_good_answer_is_measured_and_told() -> None:
    attempt = answered(saying(OK))
    assert list(attempt.phases) == ["connect", "first_byte", "body"]
    assert attempt.detail == {"address": "127.0.0.1", "status": 200, "region": "us-west-2"}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", id="length"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nhello", id="until closed"),
        pytest.param(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhello", id="HTTP/1.0"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX-Region: late\r\n\r\n",
            id="chunked, with a trailer",
        ),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\nX-Region: no\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            id="interim answers",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 500 More\r\n\r\n",
            id="something behind it",
        ),
    ],
)
def test_each_way_to_end_a_body_is_understood(answer: bytes) -> None:
    attempt = answered(saying(answer), expect={"body_matches": "^hello$"})
    assert attempt.detail == {"address": "127.0.0.1", "status": 200}


@pytest.mark.parametrize("status", [200, 204, 304])
def test_a_head_needs_no_body(status: int) -> None:
    answer = f"HTTP/1.1 {status} X\r\nContent-Length: 500\r\n\r\n".encode()
    answered(saying(answer, hang=True), method="HEAD", expect={"status": status})


def test_no_content_is_whole_without_a_body() -> None:
    answered(saying(b"HTTP/1.1 204 No Content\r\n\r\n", hang=True), expect={"status": "2xx"})


def test_a_redirect_is_not_followed() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    assert refused(saying(answer)) == "status 302, not 200"
    assert answered(saying(answer), expect={"status": [200, "3xx"]}).detail["status"] == 302


# --- expectations -------------------------------------------------------------------------


def answer_of(body: str, *, status: int = 200, head: str = "") -> bytes:
    data = body.encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n{head}\r\n".encode() + data


def test_a_wrong_status_says_what_came_and_how_it_begins() -> None:
    said = refused(saying(answer_of("down for repair " * 20, status=503)))
    assert said.startswith("status 503, not 200; the body begins 'down for repair")
    assert len(said) < 200


def test_the_status_is_known_also_when_it_is_bad() -> None:
    async def main() -> Sample:
        async with serving(saying(answer_of("", status=503))) as port:
            return await first_sample(made(port))

    sample = run(main())
    assert not sample.ok
    assert sample.detail["status"] == 503


def test_headers_are_compared() -> None:
    answer = answer_of("", head="X-A: one\r\nx-a: two\r\n")
    answered(saying(answer), expect={"headers": {"x-A": "one, two"}})
    expect = {"headers": {"X-A": "three"}}
    assert refused(saying(answer), expect=expect) == "header X-A is 'one, two', not 'three'"
    assert refused(saying(answer), expect={"headers": {"B": ""}}) == "header B is missing"


def test_bodies_are_searched() -> None:
    answer = answer_of("all is wéll")
    answered(saying(answer), expect={"body": "wé", "body_matches": "w.ll$"})
    assert "does not contain 'ill'" in refused(saying(answer), expect={"body": "ill"})
    assert "does not match '^is'" in refused(saying(answer), expect={"body_matches": "^is"})


def test_compression_that_was_not_asked_for_is_told() -> None:
    answer = answer_of("x", head="Content-Encoding: gzip\r\n")
    assert "came as 'gzip'" in refused(saying(answer), expect={"body": "x"})


FOUND = {"region": "us-west-2", "n": 5, "up": True, "none": None, "list": [{"a": 1, "b": 2}, 3]}


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"region": "us-west-2"},
        {"n": 5, "up": True, "none": None},
        {"n": "5", "up": "true"},
        {"n": 5.0},
        {"list": [{"b": 2}, 3]},
    ],
)
def test_expected_json_may_be_a_part_of_what_comes(expected: Any) -> None:
    answered(saying(answer_of(json.dumps(FOUND))), expect={"json": expected})


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"region": "us-east-1"}, "json: region is 'us-west-2', not 'us-east-1'"),
        ({"gone": 1}, "json: gone is not there"),
        ({"up": 1}, "json: up is true, not 1"),
        ({"list": [{"b": 3}, 3]}, "json: list[0].b is 2, not 3"),
        ({"list": [3]}, 'json: list is [{"a": 1, "b": 2}, 3], not [3]'),
        ({"n": {"x": 1}}, 'json: n is 5, not {"x": 1}'),
        ([1], "json: it is "),
    ],
)
def test_json_that_differs_is_told_with_its_place(expected: Any, said: str) -> None:
    assert refused(saying(answer_of(json.dumps(FOUND))), expect={"json": expected}).startswith(said)


@pytest.mark.parametrize("body", ["<html>", "", "[" * 100_000])
def test_what_is_no_json_is_bad(body: str) -> None:
    assert refused(saying(answer_of(body)), expect={"json": {}}).startswith("the body is not JSON")


# --- hostile servers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "the connection was closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-", "the connection was closed in the middle of the answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "closed in the middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "closed in the middle"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "closed in the middle"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "is not HTTP/1.1"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "the answer is not HTTP/1.1"),
        (b"\x00\xff" * 500, "the answer is not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", "is not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "is not HTTP"),
        (b"HTTP/1.1 20x OK\r\n\r\n", "is not HTTP/1.1"),
        (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "101"),
    ],
)
def test_an_answer_that_makes_no_sense_is_bad(answer: bytes, said: str) -> None:
    assert said in refused(saying(answer))


def test_an_endless_head_is_given_up() -> None:
    assert "the head is longer" in refused(endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100))
    assert "the head is longer" in refused(endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 4096))
    assert "the head is longer" in refused(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100))


def test_an_endless_body_is_given_up() -> None:
    said = refused(endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4096), expect={"max_bytes": 10_000})
    assert said == "the body is longer than 10000 bytes"
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert "the body is longer" in refused(endless(chunks, b"1\r\nx\r\n" * 500))
    said = refused(
        endless(chunks + b"1\r\nx\r\n0\r\nA: ", b"trailer" * 500), expect={"max_bytes": 9}
    )
    assert said.startswith("the answer goes on after")


def test_a_body_of_exactly_the_limit_is_good_and_one_byte_more_is_bad() -> None:
    answered(saying(answer_of("12345")), expect={"max_bytes": 5})
    assert "longer than 4 bytes" in refused(saying(answer_of("12345")), expect={"max_bytes": 4})


def test_a_reset_says_so() -> None:
    async def main() -> Sample:
        async with serving(resetting) as port:
            return await first_sample(made(port))

    assert run(main()).error == "connection reset by peer (body)"


def test_a_closed_port_says_so() -> None:
    async def main() -> Sample:
        async with serving(saying(OK)) as port:
            pass
        return await first_sample(made(port))

    sample = run(main())
    assert (sample.ok, sample.crashed) == (False, False)
    assert sample.error == "connection refused (connect)"
    assert list(sample.phases) == ["connect"]


@pytest.mark.parametrize(
    ("answer", "doing"),
    [
        (b"", "first_byte"),
        (b"H", "body"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na", "body"),
    ],
)
def test_a_server_that_falls_silent_times_out_in_its_phase(answer: bytes, doing: str) -> None:
    async def main() -> Sample:
        async with serving(saying(answer, hang=True)) as port:
            return await first_sample(made(port, every="60s", timeout="4s"))

    sample = run(main(), speed=8)
    assert sample.error == f"timed out after 4 s ({doing})"
    assert not sample.crashed
    assert doing in sample.phases


# --- the net ------------------------------------------------------------------------------


def test_the_lab_s_port_80_is_another_one() -> None:
    async def main() -> Attempt:
        async with serving(saying(OK), host="127.1.1.10") as port:
            probe = Http(kind="http", url="http://127.1.1.10/")
            return await check(probe, Net(ports={80: port}))

    assert run(main()).detail["address"] == "127.1.1.10"


def test_ports_are_translated_for_the_lab_s_addresses_only() -> None:
    net = Net(ports={80: 41234})
    assert net.route("127.1.1.10", 80) == ("127.1.1.10", 41234)
    assert net.route("127.1.1.10", 8080) == ("127.1.1.10", 8080)
    assert net.route("127.0.0.1", 80) == ("127.0.0.1", 80)
    assert net.route("192.0.2.1", 80) == ("192.0.2.1", 80)


# --- TLS ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and its own certificate, for 127.0.0.1 and api.test."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("api.test")]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path_factory.mktemp("tls") / "test.pem"
    path.write_bytes(pem + built.public_bytes(serialization.Encoding.PEM))
    return path


def over_tls(certificate: Path, handler: Handler | None = None, **fields: Any) -> Sample:
    async def main() -> Sample:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        async with serving(handler or saying(OK), tls=context) as port:
            return await first_sample(made(port, scheme="https", timeout="20s", **fields))

    sample: Sample = run(main())
    return sample


@pytest.mark.parametrize("tls", [{}, {"server_name": "api.test"}])
def test_a_certificate_that_is_trusted_is_good(certificate: Path, tls: dict[str, str]) -> None:
    sample = over_tls(certificate, tls={"ca": str(certificate), **tls})
    assert sample.ok, sample.error
    assert list(sample.phases) == ["connect", "tls", "first_byte", "body"]


def test_a_certificate_that_is_not_trusted_is_bad(certificate: Path) -> None:
    sample = over_tls(certificate)
    assert not sample.crashed
    assert sample.error == "certificate not accepted: self-signed certificate (tls)"


def test_a_certificate_for_another_name_is_bad(certificate: Path) -> None:
    sample = over_tls(certificate, tls={"ca": str(certificate), "server_name": "other.test"})
    assert sample.error.startswith("certificate not accepted: Hostname mismatch")


def test_any_certificate_will_do_when_it_is_not_verified(certificate: Path) -> None:
    assert over_tls(certificate, tls={"verify": False}).ok


def test_a_server_without_tls_is_bad() -> None:
    async def main() -> Sample:
        async with serving(endless(b"", b"hello\r\n")) as port:
            return await first_sample(made(port, scheme="https", timeout="20s"))

    sample = run(main())
    assert not sample.crashed
    assert sample.error.startswith("TLS failed: ")
    assert sample.error.endswith(" (tls)")


def test_a_tls_connection_that_is_reset_is_bad(certificate: Path) -> None:
    sample = over_tls(certificate, resetting, tls={"verify": False})
    assert (sample.ok, sample.crashed) == (False, False)


# --- parameters ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "api.example"}, "begins with http:// or https://"),
        ({"url": "ftp://api.example/"}, "begins with http:// or https://"),
        ({"url": "http://me:secret@api.example/"}, "credentials in a URL end up in every log"),
        ({"url": "http:///x"}, "names no host"),
        ({"url": "http://a b/"}, "percent-encode"),
        ({"url": "http://x/\r\nHost: y"}, "percent-encode"),
        ({"url": "http://x/ü"}, "percent-encode"),
        ({"url": "http://a{b}/"}, "is no host name"),
        ({"url": "http://x:0/"}, "port 0"),
        ({"url": "http://x:99999/"}, "Port out of range"),
        ({"method": "PATCH"}, "'GET'"),
        ({"headers": {"A B": "c"}}, "'A B' is no name of a header"),
        ({"headers": {"A": "b\r\nC: d"}}, "the header A has characters"),
        ({"headers": {"Content-length": "4"}}, "is set by the probe itself"),
        ({"body": "x"}, "a GET request carries no body"),
        ({"method": "HEAD", "expect": {"body": "x"}}, "the answer to HEAD has no body"),
        ({"tls": {"verify": False}}, "tls is for https"),
        ({"url": "https://x/", "tls": {"ca": "/no/such"}}, "No such file"),
        ({"url": "https://x/", "tls": {"ca": __file__}}, "cannot be used as CA certificates"),
        ({"expect": {"status": 99}}, "'99' is no status"),
        ({"expect": {"status": "2x"}}, "'2x' is no status"),
        ({"expect": {"status": []}}, "an empty list of statuses"),
        ({"expect": {"body_matches": "("}}, "regular expression"),
        ({"expect": {"json_": 1}}, "Extra inputs"),
        ({"every": "1ms"}, "more than 500 attempts could hang at once"),
    ],
)
def test_impossible_parameters_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Http(**({"kind": "http", "url": "http://api.example/"} | fields))
    assert said in str(refusal.value)
    assert "secret" not in "".join(e["msg"] for e in refusal.value.errors())


def test_parameters_survive_being_written_and_read_again() -> None:
    probe = Http(
        kind="http",
        url="http://api.example:81/a?b",
        expect={"status": [200, "3xx"], "body_matches": "a+", "json": {"a": [1]}},
    )
    again = Http.model_validate(probe.model_dump(mode="json", by_alias=True))
    assert again == probe
