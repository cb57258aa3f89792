"""Acme's kinds keep to what chaos asks of every kind."""

from __future__ import annotations

import asyncio
import socket

import pytest
from acme_chaos.fault import FlagChange
from acme_chaos.lever import Flag
from acme_chaos.probe import FlagProbe
from flag_service import serving

from chaos.errors import CallFailed
from chaos.testing import Aim, FakeEnvironment, check_fault, check_lever, check_probe, small_lab


def test_the_lever() -> None:
    with serving() as service:
        lever = Flag(service=service.url, flag="checkout")
        # A flag may be switched off, be empty, or not be there at all.
        asyncio.run(check_lever(lever, FakeEnvironment(small_lab()), False, "", None))
        assert service.flags == {"checkout": True}


def test_the_lever_says_when_the_service_is_gone() -> None:
    with serving() as service:
        lever = Flag(service=service.url, flag="checkout")
    with pytest.raises(CallFailed, match="acme-flags GET checkout failed: NoAnswer"):
        asyncio.run(lever.read(FakeEnvironment(small_lab())))


def test_the_fault() -> None:
    with serving() as service:
        fault = FlagChange(kind="acme_flag_change", service=service.url, flag="checkout", to=False)
        asyncio.run(check_fault(fault, FakeEnvironment(small_lab())))
        assert service.flags == {"checkout": True}


def test_the_probe() -> None:
    def aim(url: str, flag: str) -> FlagProbe:
        return FlagProbe(kind="acme_flag", service=url, flag=flag, timeout=0.2)

    with serving() as service, socket.create_server(("127.0.0.1", 0)) as silent:
        service.flags["search"] = False
        asyncio.run(
            check_probe(
                good=Aim(probe=aim(service.url, "checkout")),
                bad=Aim(probe=aim(service.url, "search"), asked=lambda: len(service.asked)),
                hanging=Aim(probe=aim(f"http://127.0.0.1:{silent.getsockname()[1]}", "any")),
            )
        )
