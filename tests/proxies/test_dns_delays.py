"""Delayed DNS answers: when they come, and that they hold up nothing and pile up nowhere."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import dns.message
import pytest
from dns_clients import (
    answer_with,
    connected,
    datagrams,
    faulty,
    framed,
    one_framed,
    responding,
    tcp,
    udp,
    until,
)

from chaos.loops import run_at, run_virtual
from chaos.proxies.dns_answers import answered
from chaos.proxies.dns_faulty import Faulty
from chaos.proxies.dns_rules import DnsRules

TRUE = functools.partial(answered, answer_with(1))
API = dns.message.make_query("api.example.com", "A", use_edns=0)


async def taken(asking: Any) -> float:
    began = asyncio.get_running_loop().time()
    assert (await asking).answer
    return asyncio.get_running_loop().time() - began


def test_a_delayed_answer_comes_when_it_is_due_and_holds_up_no_other() -> None:
    slow = {"action": "delay", "names": ["api.example.com"], "seconds": 10}

    async def main() -> None:
        async with faulty(slow) as (port, rules):
            other = dns.message.make_query("other.example.com", "A")
            times = await asyncio.gather(
                taken(udp(port, API)), taken(tcp(port, API)), taken(udp(port, other))
            )
            # In virtual time; a client on another socket may take a turn of the loop.
            assert times[0] == pytest.approx(10, abs=0.01)
            assert times[1] == pytest.approx(10, abs=0.01)
            assert times[2] < 10
            assert rules.hits("0") == 2

    run_virtual(main())


def test_the_jitter_is_drawn_anew_within_its_bounds() -> None:
    async def main() -> list[float]:
        put = DnsRules()
        put.put("r", {"action": "delay", "seconds": 1, "jitter": 1})
        service, loop = Faulty(TRUE, put), asyncio.get_running_loop()

        async def once() -> float:
            began = loop.time()
            coming = service.respond(API.to_wire(), udp=True)
            assert not isinstance(coming, bytes | None)
            assert await coming
            return loop.time() - began

        return await asyncio.gather(*(once() for _ in range(500)))

    times = run_virtual(main())
    assert 0 <= min(times) < 0.1
    assert 1.9 < max(times) <= 2
    assert sum(times) / len(times) == pytest.approx(1, abs=0.15)


def test_on_one_connection_a_slow_answer_is_overtaken() -> None:
    slow = {"action": "delay", "names": ["api.example.com"], "seconds": 1}

    async def main() -> None:
        async with faulty(slow) as (port, _), connected(port) as (reader, writer):
            other = dns.message.make_query("other.example.com", "A")
            writer.write(framed(API.to_wire()) + framed(other.to_wire()))
            assert [(await one_framed(reader)).id for _ in range(2)] == [other.id, API.id]

    run_at(20, main())


def test_a_connection_that_waits_for_a_slow_answer_is_not_idle() -> None:
    async def main() -> None:
        slow = {"action": "delay", "seconds": 12}
        async with faulty(slow, idle_s=5) as (port, _), connected(port) as (reader, writer):
            writer.write(framed(API.to_wire()))
            assert (await one_framed(reader)).id == API.id
            assert await reader.read() == b""  # and after it, it is

    run_virtual(main())


def test_an_answer_for_who_has_gone_is_dropped() -> None:
    async def main() -> None:
        slow = {"action": "delay", "names": ["api.example.com"], "seconds": 1}
        async with faulty(slow) as (port, rules):
            async with connected(port) as (_, writer):
                writer.write(framed(API.to_wire()))
                await until(lambda: rules.hits("0"))
            await asyncio.sleep(2)
            assert (await udp(port, dns.message.make_query("other.example", "A"))).answer

    run_at(20, main())


def test_more_slow_answers_than_the_limit_are_lost() -> None:
    async def main() -> None:
        slow = {"action": "delay", "names": ["*.slow.example"], "seconds": 1}
        async with faulty(slow, waiting=2) as (port, rules):
            names = [f"{n}.slow.example" for n in range(3)]
            queries = [dns.message.make_query(name, "A", id=n) for n, name in enumerate(names)]
            async with connected(port) as (reader, writer):
                writer.write(b"".join(framed(query.to_wire()) for query in queries))
                assert [(await one_framed(reader)).id for _ in range(2)] == [0, 1]
                assert rules.hits("0") == 3
                writer.write(framed(queries[2].to_wire()))  # there is room again
                assert (await one_framed(reader)).id == 2

    run_at(20, main())


def test_a_connection_that_waits_for_too_many_answers_is_not_read() -> None:
    async def main() -> None:
        async with faulty({"action": "delay", "seconds": 1}) as (port, rules):
            queries = [dns.message.make_query("api.example.com", "A", id=n) for n in range(250)]
            async with connected(port) as (reader, writer):
                writer.write(b"".join(framed(query.to_wire()) for query in queries))
                await until(lambda: rules.hits("0"))
                assert rules.hits("0") == 100
                assert sorted([(await one_framed(reader)).id for _ in queries]) == [*range(250)]

    run_at(5, main())


def test_stopping_ends_what_would_still_be_answered() -> None:
    async def main() -> int:
        async with faulty({"action": "delay", "seconds": 60}) as (port, rules):
            client = await asyncio.open_connection("127.0.0.1", port)
            client[1].write(framed(API.to_wire()) * 3)
            await until(lambda: rules.hits("0") == 3)
        assert await client[0].read() == b""
        client[1].close()
        return len(asyncio.all_tasks())

    assert run_at(1, main()) == 1


def test_a_promise_that_breaks_costs_its_own_answer_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken() -> bytes:
        raise KeyError("a defect")

    def respond(wire: bytes, *, udp: bool) -> Any:
        return broken() if wire[:2] == b"\x00\x01" else TRUE(wire, udp=udp)

    async def main() -> None:
        async with responding(respond) as port:
            first, second = (dns.message.make_query("a.example", "A", id=n) for n in (1, 2))
            got = await datagrams(port, first.to_wire(), second.to_wire())
            assert dns.message.from_wire(got).id == 2

    run_at(1, main())
    assert "a defect" in caplog.text
