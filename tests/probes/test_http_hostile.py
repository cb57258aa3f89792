from __future__ import annotations

import socket

import pytest
from http_servers import (
    OK,
    answer_of,
    answered,
    endless,
    first_sample,
    made,
    refused,
    resetting,
    run,
    saying,
    serving,
)

from probes.probe import Sample


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


def test_a_connection_that_is_not_taken_up_times_out() -> None:
    async def main() -> Sample:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            waiting = [socket.socket() for _ in range(3)]
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(full.getsockname())
            try:
                return await first_sample(made(full.getsockname()[1], every="60s", timeout="4s"))
            finally:
                for client in waiting:
                    client.close()

    sample = run(main(), speed=8)
    assert sample.error == "timed out after 4 s (connect)"


def test_a_handshake_that_is_not_answered_times_out() -> None:
    async def main() -> Sample:
        async with serving(saying(b"", hang=True)) as port:
            probe = made(port, scheme="https", every="60s", timeout="4s")
            return await first_sample(probe)

    assert run(main(), speed=8).error == "timed out after 4 s (tls)"
