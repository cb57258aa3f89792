"""The DNS server's connections: pipelining, backpressure, deadlines, limits (RFC 7766)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns_clients import (
    answer_with,
    connected,
    framed,
    one_framed,
    serving,
)

from chaos.loops import run_at, run_virtual


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_questions_in_a_row_on_one_connection_are_answered_in_order(cut: int) -> None:
    async def main() -> list[int]:
        async with serving(answer_with(1)) as port, connected(port) as (reader, writer):
            queries = [dns.message.make_query("a.example", "A", id=n) for n in range(1, 6)]
            stream = b"".join(framed(query.to_wire()) for query in queries)
            for start in range(0, len(stream), cut):
                writer.write(stream[start : start + cut])
                await asyncio.sleep(0)
            return [(await one_framed(reader)).id for _ in queries]

    assert run_at(1, main()) == [1, 2, 3, 4, 5]


def test_garbage_in_a_frame_costs_a_formerr_and_a_frame_too_short_the_connection() -> None:
    async def main() -> None:
        async with serving(answer_with(1)) as port, connected(port) as (reader, writer):
            writer.write(framed(bytes(40)) + framed(bytes(11)))
            assert (await one_framed(reader)).rcode() == dns.rcode.FORMERR
            assert await reader.read() == b""

    run_at(1, main())


def test_a_client_that_does_not_read_is_not_read_and_misses_nothing_later() -> None:
    count, asked = 400, 0
    text = dns.rrset.from_text("a.example.", 1, "IN", "TXT", " ".join([f'"{"x" * 250}"'] * 200))

    def answer(query: dns.message.QueryMessage) -> dns.message.Message:
        nonlocal asked
        asked += 1
        response = dns.message.make_response(query)
        response.answer = [text]  # 50 kB, 20 MB in all: more than any socket buffers
        return response

    async def main() -> None:
        async with serving(answer) as port, connected(port) as (reader, writer):
            queries = [dns.message.make_query("a.example", "A", id=n) for n in range(count)]
            stream = b"".join(framed(query.to_wire()) for query in queries)
            writer.write(stream)
            before = -1
            while before != asked or asked == 0:
                before = asked
                for _ in range(50):
                    await asyncio.sleep(0)
            assert 0 < asked < count
            got = [(await one_framed(reader)).id for _ in queries]
            assert got == list(range(count))

    run_at(1, main())


def test_a_connection_without_a_whole_message_is_closed_in_time() -> None:
    async def main() -> float:
        async with serving(answer_with(1), idle_s=5) as port, connected(port) as (reader, writer):
            loop = asyncio.get_running_loop()
            writer.write(framed(dns.message.make_query("a.example", "A").to_wire()))
            await one_framed(reader)
            since = loop.time()
            writer.write(b"\x00")
            with pytest.raises(ConnectionResetError):  # it sends a RST: a byte lies there unread
                await until_closed(reader)
            return loop.time() - since

    async def until_closed(reader: asyncio.StreamReader) -> None:
        if await reader.read() == b"":
            raise ConnectionResetError

    assert 4.9 < run_virtual(main()) <= 5


def test_more_connections_than_the_limit_are_turned_away_and_room_is_made_again() -> None:
    async def main() -> None:
        async with serving(answer_with(1), connections=2) as port:
            query = dns.message.make_query("a.example", "A")
            async with connected(port) as first, connected(port):
                first[1].write(framed(query.to_wire()))
                await one_framed(first[0])
                async with connected(port) as (reader, _):
                    assert await ends(reader.read()) == b""
            while True:
                async with connected(port) as (reader, writer):
                    writer.write(framed(query.to_wire()))
                    if answered := await ends(reader.read(2)):
                        assert answered
                        return

    async def ends(reading: Awaitable[bytes]) -> bytes:
        try:
            return await reading
        except ConnectionResetError:
            return b""

    run_at(1, main())
