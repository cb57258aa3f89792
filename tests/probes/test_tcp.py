from __future__ import annotations

import asyncio
import re
from contextlib import closing, suppress
from typing import Any

import pytest
from http_servers import Handler, endless, run, serving
from pydantic import ValidationError

from chaos.testing import one_sample
from probes.net import Net
from probes.probe import Sample
from probes.tcp import Tcp


def saying(*pieces: bytes, heard: list[bytes] | None = None, hang: bool = False) -> Handler:
    """A server that says this, piece by piece, and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError), closing(writer):
            if heard is not None:
                heard.append(await reader.readuntil(b"\n"))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            if hang:
                await reader.read()  # until the probe goes

    return handle


def attempted(handler: Handler, **settings: Any) -> Sample:
    """One attempt at that server."""

    async def main() -> Sample:
        async with serving(handler) as port:
            probe = {"kind": "tcp", "host": "127.0.0.1", "port": port, "timeout": 10}
            return await one_sample(Tcp.model_validate(probe | settings), Net())

    sample: Sample = run(main())
    return sample


def test_a_connection_is_enough_when_nothing_is_expected() -> None:
    sample = attempted(saying(b"welcome", hang=True))
    assert sample.ok
    assert list(sample.phases) == ["connect"]
    assert sample.detail == {"address": "127.0.0.1"}


def test_what_was_sent_is_answered() -> None:
    heard: list[bytes] = []
    sample = attempted(
        saying(b"+PONG\r\n", heard=heard, hang=True),
        send="PÏNG\r\n",
        expect={"text": "+PONG", "matches": r"^\+\w+\r$"},
    )
    assert sample.ok, sample.error
    assert heard == ["PÏNG\r\n".encode()]
    assert list(sample.phases) == ["connect", "answer"]
    assert sample.detail["answer"] == r"'+PONG\r\n'"


def test_an_answer_may_come_in_pieces() -> None:
    expect = {"matches": re.compile("^220 .* ready")}
    sample = attempted(saying(b"22", b"0 mail", b" ready", hang=True), expect=expect)
    assert sample.ok, sample.error


@pytest.mark.parametrize(
    ("handler", "expect", "said"),
    [
        (saying(), {"text": "a"}, "the connection was closed without an answer"),
        (
            saying(b"-ERR no"),
            {"text": "+PONG"},
            "the server closed; what came does not contain '+PONG': '-ERR no'",
        ),
        (
            saying(b"-ERR no"),
            {"matches": "^[+]"},
            "the server closed; what came does not match '^[+]': '-ERR no'",
        ),
        (
            saying(b"abcdef", hang=True),
            {"text": "f", "max_bytes": 5},
            "the beginning of what came does not contain 'f': 'abcde'",
        ),
    ],
)
def test_another_answer_is_bad(handler: Handler, expect: dict[str, Any], said: str) -> None:
    sample = attempted(handler, expect=expect)
    assert (sample.ok, sample.crashed, sample.error) == (False, False, said)


def test_a_server_that_never_stops_is_not_listened_to_for_ever() -> None:
    sample = attempted(endless(b"", b"x" * 65536), expect={"text": "y", "max_bytes": 65536})
    assert sample.error.startswith("the beginning of what came does not contain 'y': 'xxx")
    assert len(sample.detail["answer"]) == 80


def test_an_answer_that_stops_half_way_is_timed_out_and_told() -> None:
    sample = attempted(saying(b"+PO", hang=True), expect={"text": "+PONG"}, timeout=0.3)
    assert sample.error == "timed out after 300 ms (answer)"
    assert sample.detail["answer"] == "'+PO'"


def test_a_port_where_nobody_listens_is_bad() -> None:
    async def main() -> Sample:
        async with serving(saying()) as port:
            pass
        probe = Tcp(kind="tcp", host="127.0.0.1", port=port)
        return await one_sample(probe, Net())

    assert run(main()).error == "connection refused (connect)"


def test_a_lab_s_port_is_another_one() -> None:
    async def main() -> Sample:
        async with serving(saying(), host="127.3.2.1") as port:
            probe = Tcp(kind="tcp", host="127.3.2.1", port=80)
            return await one_sample(probe, Net(ports={80: port}))

    assert run(main()).ok


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"send": "PING"}, "send without expect would not show that anything has arrived"),
        ({"expect": {"text": ""}}, "at least 1 character"),
        ({"expect": {"max_bytes": 65537}}, "less than or equal to 65536"),
        ({"expect": {"matches": "("}}, "valid regular expression"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Tcp.model_validate({"kind": "tcp", "host": "a.test", "port": 80} | settings)
