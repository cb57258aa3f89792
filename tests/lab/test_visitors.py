"""The load of a lab: who comes when, tries again, and is still there."""

from __future__ import annotations

import asyncio

import pytest

from chaos.lab.declaration import Visitors
from chaos.lab.visitors import Crowd
from chaos.loops import run_virtual
from probes.http import Http
from probes.net import Net
from probes.probe import Attempt, ProbeFailed

URL = "http://www.shop.example/page"


class Shop:
    """Stands in for the network: notes each attempt, then answers, fails or hangs."""

    def __init__(self, how: str = "answers") -> None:
        self.how = how
        self.came: list[tuple[float, int]] = []  # when, and which visitor

    async def check(self, probe: Http, net: Net, attempt: Attempt) -> None:
        assert (probe.url, net.route("127.1.0.10", 80)) == (URL, ("127.1.0.10", 8080))
        self.came.append((asyncio.get_running_loop().time(), attempt.n))
        if self.how == "hangs":
            await asyncio.sleep(3600)
        if self.how == "fails":
            raise ProbeFailed("status 503")

    def play(self, monkeypatch: pytest.MonkeyPatch, seconds: float, **settings: object) -> Shop:
        shop = self

        async def check(probe: Http, net: Net, attempt: Attempt) -> None:
            await shop.check(probe, net, attempt)

        async def main() -> None:
            wanted = Visitors.model_validate({"url": URL, **settings})
            crowd = Crowd({"shoppers": wanted}, dns=53, port=8080)
            crowd.start()
            await asyncio.sleep(seconds)
            await crowd.stop()
            assert len(asyncio.all_tasks()) == 1  # this one

        monkeypatch.setattr(Http, "check", check)
        run_virtual(main())
        return self


def test_one_comes_each_period_whether_those_before_are_served_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for how in ("answers", "hangs"):
        came = Shop(how).play(monkeypatch, 9.9, every="1s", timeout="60s").came
        assert [n for _, n in came] == [*range(10)]
        assert [when for when, _ in came] == pytest.approx([*range(10)])


def test_who_fails_tries_again_so_often_and_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    came = Shop("fails").play(monkeypatch, 9.5, every="20s", retries=3, pause="2s").came
    assert [when for when, _ in came] == [pytest.approx(when) for when in (0, 2, 4, 6)]


def test_who_hangs_gives_up_in_time_and_tries_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    came = Shop("hangs").play(monkeypatch, 9.5, every="20s", timeout="3s", retries=1).came
    assert [when for when, _ in came] == [pytest.approx(when) for when in (0, 3)]
