"""Rules on a lease: kept while it is renewed, lifted when it is not."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from chaos.loops import run_virtual
from chaos.proxies.admin import AdminDoor
from chaos.proxies.rules import Rules

SLOW = {"action": "delay", "seconds": 2}
TOKEN = "a-token-of-24-characters"  # noqa: S105  # of a test


class Admin:
    """The admin door of a proxy."""

    def __init__(self, token: str | None = None) -> None:
        self.rules = Rules()
        self.door = AdminDoor(self.rules, lambda: 0, token)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[bytes, bytes] | None = None
    ) -> tuple[int, Any]:
        sent = b"" if body is None else json.dumps(body).encode()
        status, told, said = self.door.answer(method.encode(), path.encode(), sent, headers or {})
        return status, json.loads(said) if told["Content-Type"] == "application/json" else said


def test_rules_whose_lease_is_not_renewed_are_lifted(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        admin = Admin()
        assert admin.ask("PUT", "/_chaos/rules?lease=30s", {"a": SLOW, "b": SLOW})[0] == 200
        assert admin.ask("GET", "/_chaos/lease")[1] == {"seconds": 30, "left": 30, "ended": 0}
        for _ in range(5):
            await asyncio.sleep(29)
            assert admin.ask("POST", "/_chaos/lease")[0] == 200
        assert list(admin.rules.items())
        admin.rules.put("b", {"action": "hang"})  # somebody else's by now
        await asyncio.sleep(31)
        assert [name for name, _ in admin.rules.items()] == ["b"]
        assert b"\nchaos_proxy_leases_ended_total 1\n" in admin.ask("GET", "/_chaos/metrics")[1]
        status, said = admin.ask("POST", "/_chaos/lease")
        assert status == 400
        assert "there is none, or it has ended" in said["message"]

    with caplog.at_level(logging.WARNING):
        run_virtual(main())
    assert caplog.messages == ["the lease of 30 s was not renewed: rules lifted: a"]


def test_rules_without_a_lease_stay() -> None:
    async def main() -> None:
        admin = Admin()
        admin.ask("PUT", "/_chaos/rules?lease=2s", [SLOW])
        admin.ask("PUT", "/_chaos/rules", [SLOW])
        await asyncio.sleep(3600)
        assert list(admin.rules.items())
        assert admin.ask("GET", "/_chaos/lease")[1]["seconds"] is None

    run_virtual(main())


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("lease=1", "lease: '1' is no duration"),
        ("lease=", "lease: "),
        ("lease=0.5s", "lease: must be from 1s to 24h"),
        ("lease=25h", "lease: must be from 1s to 24h"),
        ("leese=30s", "query: 'leese' is not known here, only lease=30s"),
    ],
)
def test_a_lease_that_is_none_changes_nothing(query: str, says: str) -> None:
    admin = Admin()
    status, said = admin.ask("PUT", f"/_chaos/rules?{query}", [SLOW])
    assert status == 400
    assert says in said["message"]
    assert not list(admin.rules.items())


@pytest.mark.parametrize(
    "shown", [b"", b"Bearer", b"Bearer ", b"Bearer x", f"bearer {TOKEN}".encode(), TOKEN.encode()]
)
@pytest.mark.parametrize("path", ["/_chaos/rules", "/_chaos/metrics", "/_localstack/chaos/faults"])
def test_without_the_token_nothing_is_answered(path: str, shown: bytes) -> None:
    admin = Admin(TOKEN)
    status, said = admin.ask("GET", path, headers={b"authorization": shown} if shown else {})
    assert (status, said["field"]) == (401, "token")
    assert TOKEN not in said["message"]


def test_with_the_token_all_is_answered() -> None:
    shown = {b"authorization": f"Bearer {TOKEN}".encode()}
    assert Admin(TOKEN).ask("GET", "/_chaos/rules", headers=shown) == (200, [])
