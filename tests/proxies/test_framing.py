"""Where messages begin and end, whatever way the bytes are cut."""

from __future__ import annotations

import pytest

from chaos.proxies.bodies import Body, Chunked, Malformed, Sized, UntilClosed
from chaos.proxies.framing import (
    MAX_HEAD,
    HeadTooLong,
    end_of_head,
    parse_request,
    parse_response,
    request_body,
    response,
    response_body,
)

CHUNKS = b"5;x=y\r\nhello\r\n1 \r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\n"
CONTENT = b"hello 0123456789"


def fed(body: Body, data: bytes, size: int) -> tuple[int, bytes]:
    """Feed in pieces of that size; how many bytes were taken, and the content."""
    taken, content = 0, bytearray()
    while taken < len(data) and not body.done:
        taken += body.take(data[taken : taken + size], content)
    return taken, bytes(content)


@pytest.mark.parametrize("size", range(1, len(CHUNKS) + 1))
def test_chunks_are_followed_however_they_are_cut(size: int) -> None:
    body = Chunked()
    assert fed(body, CHUNKS + b"GET / HTTP/1.1\r\n", size) == (len(CHUNKS), CONTENT)
    assert body.done


@pytest.mark.parametrize(
    "data", [b"x\r\n", b"\r\n", b"-1\r\n", b"0x5\r\n", b"5\n", b"5_0\r\n", b"1" * 16 + b"\r\n"]
)
def test_a_chunk_without_a_size_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        Chunked().take(data)


def test_an_endless_size_is_malformed() -> None:
    body = Chunked()
    body.take(b"5;" + b"x" * (MAX_HEAD - 2))
    with pytest.raises(Malformed):
        body.take(b"x")


def test_an_endless_trailer_is_malformed() -> None:
    body = Chunked()
    body.take(b"0\r\n" + b"a: b\r\n" * (MAX_HEAD // 6))
    with pytest.raises(Malformed):
        body.take(b"a: b\r\n")


def test_a_sized_body_ends_at_its_size() -> None:
    body = Sized(5)
    assert fed(body, b"hello, world", 3) == (5, b"hello")
    assert body.done


def test_a_body_without_a_length_takes_everything() -> None:
    body = UntilClosed()
    assert fed(body, b"hello, world", 3) == (12, b"hello, world")
    assert not body.done


def test_a_head_ends_at_the_blank_line_and_has_a_limit() -> None:
    assert end_of_head(b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest") == 24
    assert end_of_head(b"GET / HTTP/1.1\r\nA: b\r\n\r") == -1
    with pytest.raises(HeadTooLong):
        end_of_head(b"x" * MAX_HEAD)


def test_a_request_s_head_is_read() -> None:
    raw = b"PUT /a?b=c HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two: 2\r\nExpect: 100-Continue\r\n\r\n"
    head = parse_request(raw)
    assert (head.method, head.target, head.raw) == (b"PUT", b"/a?b=c", raw)
    assert head.headers[b"x-two"] == b"1, 2"
    assert head.expects_continue
    assert head.keep_alive


@pytest.mark.parametrize(
    ("raw", "keep_alive"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", True),
    ],
)
def test_whether_the_connection_goes_on(raw: bytes, keep_alive: bool) -> None:
    assert parse_request(raw).keep_alive is keep_alive


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: five\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    ],
)
def test_what_is_no_request_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_request(raw)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"Content-Length: 5", Sized),
        (b"Transfer-Encoding: Chunked", Chunked),
        (b"X: y", Sized),
    ],
)
def test_the_body_of_a_request(head: bytes, kind: type) -> None:
    assert type(request_body(parse_request(b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\n"))) is kind


@pytest.mark.parametrize(
    ("status", "method", "header", "kind", "done"),
    [
        (200, b"GET", b"Content-Length: 5", Sized, False),
        (200, b"GET", b"content-length:0", Sized, True),
        (200, b"GET", b"Transfer-Encoding: chunked", Chunked, False),
        (200, b"GET", b"Transfer-Encoding: gzip, Chunked ", Chunked, False),
        (200, b"GET", b"Transfer-Encoding: chunked, gzip", UntilClosed, False),
        (200, b"GET", b"X: y", UntilClosed, False),
        (200, b"HEAD", b"Content-Length: 5", Sized, True),
        (204, b"GET", b"X: y", Sized, True),
        (304, b"GET", b"Content-Length: 5", Sized, True),
    ],
)
def test_the_body_of_a_response(
    status: int, method: bytes, header: bytes, kind: type, done: bool
) -> None:
    head = parse_response(b"HTTP/1.1 %d Said\r\n%b\r\n\r\n" % (status, header))
    body = response_body(head, method)
    assert type(body) is kind
    assert body.done is done


def test_our_own_response_reads_back() -> None:
    raw = response(599, {"A": "b"}, b"text", keep_alive=False)
    head = parse_response(raw[: end_of_head(raw)])
    assert head.status == 599
    assert head.headers == {b"a": b"b", b"content-length": b"4", b"connection": b"close"}
    assert raw.endswith(b"\r\n\r\ntext")
    assert response(503, {}, b"text", keep_alive=True, method=b"HEAD").endswith(b"4\r\n\r\n")
