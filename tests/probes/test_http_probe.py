from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from http_servers import (
    OK,
    answer_of,
    answered,
    check,
    first_sample,
    made,
    refused,
    run,
    saying,
    serving,
)

from probes.http import Http
from probes.net import Net
from probes.probe import Attempt, Sample

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
