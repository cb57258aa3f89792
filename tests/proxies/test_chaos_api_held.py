"""Rules that are set through the proxy itself while it holds calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from upstreams import End, post, run, until

from chaos.proxies.admin import AdminDoor
from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.rules import Rules

NOBODY = ("127.0.0.1", 1)  # what no call of these tests may reach
CALL = post(b"{}")


class Stand:
    """A proxy with its admin door."""

    def __init__(self, proxy: ApiProxy, port: int) -> None:
        self.proxy = proxy
        self.port = port
        self.ends: list[End] = []

    async def calls(self, count: int) -> list[End]:
        """That many calls on their way."""
        for _ in range(count):
            self.ends.append(await self._connect())
            self.ends[-1].send(CALL)
        await until(lambda: self.proxy.requests == len(self.ends))
        return self.ends[-count:]

    async def _connect(self) -> End:
        return End(*await asyncio.open_connection("127.0.0.1", self.port))

    async def put(self, rules: Any) -> Any:
        """Replace all rules through the door."""
        end = await self._connect()
        body = json.dumps(rules).encode()
        head = b"PUT /_chaos/rules HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        end.send(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        answer = await end.rest()
        end.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        return json.loads(answer.partition(b"\r\n\r\n")[2])


@asynccontextmanager
async def standing() -> AsyncIterator[Stand]:
    rules = Rules()
    door = AdminDoor(rules, lambda: proxy.requests)
    proxy = ApiProxy(NOBODY, rules, admin=door.answer)
    try:
        stand = Stand(proxy, await proxy.start())
        yield stand
        for end in stand.ends:
            end.close()
    finally:
        await proxy.stop()


def test_removing_a_rule_waits_for_nobody_and_lets_go_of_what_it_holds() -> None:
    async def test() -> None:
        async with standing() as stand:
            await stand.put([{"action": "hang"}])
            held = await stand.calls(100)
            await until(lambda: stand.proxy.rules.hits("1") == 100)
            assert await stand.put([]) == []
            assert all([await end.gone() for end in held])

    run(test())


def test_a_schedule_that_goes_off_lets_go_of_what_its_rule_holds() -> None:
    async def test() -> None:
        async with standing() as stand:
            began = asyncio.get_running_loop().time()
            await stand.put([{"action": "hang", "schedule": [0, 5]}, {"action": "refuse"}])
            (held,) = await stand.calls(1)
            assert await held.gone()
            assert asyncio.get_running_loop().time() - began >= 5
            assert [stand.proxy.rules.hits(id_) for id_ in ("1", "2")] == [1, 0]

    run(test(), speed=10)


def test_who_asks_the_door_is_no_call() -> None:
    async def test() -> None:
        async with standing() as stand:
            await stand.put([])
            assert stand.proxy.requests == 0

    run(test())
