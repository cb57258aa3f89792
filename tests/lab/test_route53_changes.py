"""Route 53 in the lab over time: changes that propagate, endpoints that go and come back."""

from __future__ import annotations

import asyncio

import pytest
from route53_api import GEO, HOST, Api, answering, record, run, until, values

from chaos.errors import EnvironmentFailed
from chaos.lab.route53 import Route53


class Service:
    """An HTTP endpoint on loopback that can be closed and opened again on the same port."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            pass  # the checker has gone
        finally:
            writer.close()


def test_traffic_fails_over_after_threshold_times_interval_and_fails_back() -> None:
    interval, threshold, speed = 10, 3, 20

    async def main(api: Api) -> None:
        zone, primary, secondary = await api.zone(), Service(), Service()
        await primary.open()
        await secondary.open()
        east = await api.check("east", Port=80, FullyQualifiedDomainName="east.stream.example")
        west = await api.check("west", Port=81, IPAddress="127.0.0.1")
        failover = ("PRIMARY", "127.1.0.10", east), ("SECONDARY", "127.2.0.10", west)
        await api.put(
            zone,
            record("east.stream.example", "A", HOST),
            *(
                record(
                    "api.stream.example",
                    "A",
                    address,
                    SetIdentifier=role,
                    Failover=role,
                    HealthCheckId=check,
                )
                for role, address, check in failover
            ),
        )
        ports = {80: primary.port, 81: secondary.port}
        async with answering(api, ports=ports) as (route53, port):
            assert await values(port, "api.stream.example") == ["127.1.0.10"]

            await primary.close()
            took = await until(port, "127.2.0.10")
            # Every checker must have failed three times, ten seconds apart.
            assert took >= (threshold - 1) * interval
            assert told(route53) == {"east": [False] * 3, "west": [True] * 3}

            await primary.open()
            # The first checker is enough for more than 18 %.
            assert await until(port, "127.1.0.10") >= (threshold - 1) * interval

            await primary.close()
            await until(port, "127.2.0.10")
            await secondary.close()
            await until(port, "127.1.0.10")
            assert told(route53) == {"east": [False] * 3, "west": [False] * 3}

    def told(route53: Route53) -> dict[str, list[bool]]:
        checks = route53.describe()["health_checks"]
        assert all(check["healthy"] == any(check["checkers"]) for check in checks)
        return {check["name"]: check["checkers"] for check in checks}

    run(main, speed=speed)


def test_a_change_takes_effect_after_the_propagation() -> None:
    async def main(api: Api) -> None:
        loop, zone = asyncio.get_running_loop(), await api.zone()
        await api.put(zone, record("api.stream.example", "A", "127.1.0.1"))
        async with answering(api, propagation=60) as (route53, port):
            await api.put(zone, record("api.stream.example", "A", "127.1.0.2"))
            changed = loop.time()
            await route53.refresh()
            await until(port, "127.1.0.2")
            assert loop.time() - changed >= 60

    run(main, speed=100)


def test_changes_take_effect_in_the_order_in_which_they_were_made() -> None:
    async def main(api: Api) -> None:
        zone = await api.zone()
        async with answering(api, propagation=5) as (route53, port):
            refreshing = []
            for n in range(5):
                await api.put(zone, record("api.stream.example", "A", f"127.1.0.{n}"))
                refreshing.append(asyncio.create_task(route53.refresh()))
            await asyncio.gather(*refreshing)
            await asyncio.sleep(5)
            assert await values(port, "api.stream.example") == ["127.1.0.4"]

    run(main, speed=20)


def test_what_was_read_before_the_start_does_not_undo_it() -> None:
    async def main(api: Api) -> None:
        zone = await api.zone()
        route53 = Route53(api.call, ports={}, propagation=5)
        await route53.refresh()
        await api.put(zone, record("api.stream.example", "A", "127.1.0.1"))
        port = await route53.start()
        await asyncio.sleep(6)
        assert await values(port, "api.stream.example") == ["127.1.0.1"]
        await route53.stop()

    run(main, speed=20)


def test_a_refresh_that_is_refused_changes_nothing() -> None:
    async def main(api: Api) -> None:
        zone = await api.zone()
        await api.put(zone, record("api.stream.example", "A", "127.1.0.1"))
        async with answering(api) as (route53, port):
            await api.put(zone, record("geo.stream.example", "A", "127.1.0.2", **GEO))
            with pytest.raises(EnvironmentFailed, match="geolocation"):
                await route53.refresh()
            assert await values(port, "api.stream.example") == ["127.1.0.1"]

    run(main)


def test_after_stop_nothing_takes_effect_any_more() -> None:
    async def main(api: Api) -> None:
        await api.check()
        async with answering(api, propagation=1) as (route53, _):
            await route53.refresh()
        await asyncio.sleep(2)
        assert route53.describe()["health_checks"] == []
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main, speed=20)


def test_a_port_that_is_taken_leaves_nothing_behind() -> None:
    async def main(api: Api) -> None:
        await api.check()
        async with answering(api) as (_, port):
            before = asyncio.all_tasks()
            with pytest.raises(EnvironmentFailed, match=f"port {port}: Address already in use"):
                await Route53(api.call, ports={}, propagation=0).start(port)
            assert asyncio.all_tasks() == before

    run(main)


def test_a_check_of_what_is_not_in_the_lab_fails_and_is_not_asked() -> None:
    async def main(api: Api) -> None:
        await api.check("outside", IPAddress="192.0.2.1", FailureThreshold=1)
        await api.check("nameless", FullyQualifiedDomainName="no.example", FailureThreshold=1)
        async with answering(api) as (route53, _):
            await asyncio.sleep(11)
            told = {each["name"]: each["healthy"] for each in route53.describe()["health_checks"]}
            assert told == {"outside": False, "nameless": False}

    run(main, speed=20)
