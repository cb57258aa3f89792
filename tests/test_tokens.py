"""What listens elsewhere than on loopback asks for a token, or for where one comes from."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from chaos.cli.dns_places import allowed_of
from chaos.cli.token import token_of
from chaos.errors import InvalidInput
from chaos.metrics import Metrics
from chaos.metrics.serving import served

TOKEN = "a-token-of-24-characters"  # noqa: S105  # of a test


def test_on_loopback_none_is_needed_and_elsewhere_one_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CHAOS_TOKEN", raising=False)
    assert token_of(None, "127.0.0.1") == token_of(None, "::1") == (None, False)
    made = [token_of(None, address) for address in ("0.0.0.0", "::", "192.0.2.1")]  # noqa: S104
    assert all(token and len(token) >= 32 and is_new for token, is_new in made)
    assert len(set(made)) == 3


def test_one_that_is_given_is_used_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert token_of(tmp_path / "token", "127.0.0.1") == (TOKEN, False)
    monkeypatch.setenv("CHAOS_TOKEN", TOKEN)
    assert token_of(None, "192.0.2.1") == (TOKEN, False)


@pytest.mark.parametrize("text", ["short", " ", "with blanks in between it", "ü" * 20])
def test_one_that_can_be_guessed_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(InvalidInput, match="16 letters and digits"):
        token_of(tmp_path / "token", "192.0.2.1")


def status(port: int, **headers: str) -> int:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310  # our own
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_metrics_are_for_who_shows_the_token() -> None:
    with served(Metrics().registry, 0, token=TOKEN) as port:
        assert status(port) == 401
        assert status(port, Authorization=f"Bearer {TOKEN}x") == 401
        assert status(port, Authorization=f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize(
    ("networks", "address", "may"),
    [
        ((), "172.17.0.2", True),
        ((), "10.1.2.3", True),
        ((), "fe80::1%eth0", True),
        ((), "8.8.8.8", False),
        ((), "::ffff:8.8.8.8", False),
        (("192.0.2.0/24", "2001:db8::/32"), "192.0.2.7", True),
        (("192.0.2.0/24", "2001:db8::/32"), "::ffff:192.0.2.7", True),
        (("192.0.2.0/24", "2001:db8::/32"), "2001:db8::9", True),
        (("192.0.2.0/24", "2001:db8::/32"), "172.17.0.2", False),
    ],
)
def test_dns_answers_the_networks_that_are_allowed(
    networks: tuple[str, ...], address: str, may: bool
) -> None:
    allowed = allowed_of(networks, ("0.0.0.0", 53))  # noqa: S104  # it is not listened on
    assert allowed is not None
    assert allowed(address) is may


def test_dns_on_loopback_answers_whoever_can_ask() -> None:
    assert allowed_of((), ("127.0.0.1", 53)) is None
    with pytest.raises(InvalidInput, match=r"--allow: .*; write a network such as"):
        allowed_of(("10.0.0.1/8",), ("127.0.0.1", 53))
