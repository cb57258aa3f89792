"""What is secret is masked, however it is repeated, and what is not stays as it is."""

from __future__ import annotations

import base64
import contextlib
import html
import io
import json
import sys
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import InjectionFailed, InvalidInput
from chaos.journal import Journal, read
from chaos.secrets import MASK, SHORTEST, Masked, Secrets

CANARY = 'c4n/ry+"tok=én\\-1234'
LINES = ["MIIEowIBAAKCAQEA", "q2+x/1234567890ab"]
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *LINES, "-----END RSA PRIVATE KEY-----"])


@pytest.fixture
def secrets() -> Secrets:
    known = Secrets()
    known.add(CANARY)
    return known


@pytest.fixture
def journal(tmp_path: Path, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("chaos.journal.SECRETS", secrets)
    journal = Journal.create(tmp_path / "run" / "journal.jsonl", lambda: 1.5)
    yield journal
    journal.close()


@pytest.mark.parametrize(
    "repeat",
    [
        str,
        repr,
        json.dumps,
        html.escape,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="").lower(),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64encode(f"u:{text}".encode()).decode(),
        lambda text: base64.urlsafe_b64encode(f"user:{text}!".encode()).decode(),
        lambda text: json.dumps(json.dumps({"said": text})),
        lambda text: text[:30].ljust(40) and text[:10] + "…",
    ],
)
def test_a_known_value_is_masked_however_it_is_repeated(secrets: Secrets, repeat: Any) -> None:
    masked = secrets.mask(f"before {repeat(CANARY)} after")
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert MASK in masked
    assert "ry+" not in masked
    assert repeat(CANARY) not in masked


def test_a_long_value_is_masked_wherever_it_was_cut() -> None:
    secrets = Secrets()
    secrets.add(value := "0123456789" * 10)
    assert secrets.mask(f"{value[:40]!r} is no name") == "'***' is no name"
    assert secrets.mask(value[:20]) == value[:20]  # as likely another's


def test_a_key_is_masked_line_by_line() -> None:
    secrets = Secrets()
    secrets.add(PEM)
    assert [secrets.mask(line) for line in PEM.splitlines()][2] == MASK
    assert "q2+x" not in secrets.mask(f"found {PEM}!")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("http://me:hunter2@db/x", "http://me:***@db/x"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("{'Authorization': 'Basic dTpw', 'A': 1}", "{'Authorization': '***', 'A': 1}"),
        ("sent Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "sent Bearer ***"),
        ("?X-Amz-Signature=0a1b&X-Amz-Date=1", "?X-Amz-Signature=***&X-Amz-Date=1"),
        ("x-amz-security-token: IQoJ//==", "x-amz-security-token: ***"),
        ("<SecretAccessKey>abc/d</SecretAccessKey>", "<SecretAccessKey>***</SecretAccessKey>"),
        ('"SessionToken": "FwoG+/="', '"SessionToken": "***"'),
        ("FwoGZXIvYXdzEBYaDHqa0AP1x2y3z4a5b6c7", MASK),
        (PEM, "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----"),
    ],
)
def test_what_is_secret_by_its_shape_is_masked(text: str, masked: str) -> None:
    secrets = Secrets()
    assert secrets.mask(text) == masked
    assert secrets.mask(masked) == masked
    assert secrets.may_be_in(json.dumps(text))


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",  # names a key, and is none
        "AuthorizationHeaderMalformed",
        "http://127.0.0.1:4566/a@b",
        "sns topic: arn:aws:sns:us-east-1:123456789012:alarms",
        "the session ended",
        "…",
    ],
)
def test_what_is_not_secret_stays(secrets: Secrets, text: str) -> None:
    assert secrets.mask(text) == text


@given(st.text(min_size=SHORTEST, max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_a_line_that_holds_a_value_is_always_looked_at(value: str, before: str, after: str) -> None:
    secrets = Secrets()
    secrets.add(value)
    text = before + value + after
    assert secrets.may_be_in(json.dumps({"error": text}))
    assert value not in secrets.mask(text) or value in MASK + after or value in before + MASK


def test_a_short_value_would_be_everywhere_and_is_let_be(secrets: Secrets) -> None:
    secrets.add("test")
    secrets.add_code("123456")
    assert secrets.mask("a test of 123456, not of 1234567") == "a test of ***, not of 1234567"


def test_the_journal_and_its_watchers_see_nothing_secret(journal: Journal) -> None:
    seen: list[Any] = []
    journal.watchers.append(seen.append)
    wrote = journal.write("sample", error=f"401 for {CANARY}", seen={CANARY: [CANARY, 1]})
    (found,) = read(journal.path)
    assert found == seen[0] == wrote
    assert (found["error"], found["seen"]) == ("401 for ***", {MASK: [MASK, 1]})


@pytest.mark.parametrize(
    ("event", "field", "failed"),
    [
        ("pull", "prior", InjectionFailed),
        ("pull", "value", InjectionFailed),
        ("pull", "lever", InjectionFailed),
        ("run", "environment", InvalidInput),
        ("run", "run", InvalidInput),
    ],
)
def test_what_has_to_be_put_back_is_never_masked_but_refused(
    journal: Journal, event: str, field: str, failed: type[Exception]
) -> None:
    with pytest.raises(failed, match=f"a secret is in the {field} of the {event}"):
        journal.write(event, **{field: {"text": CANARY}})
    assert read(journal.path) == []


def test_a_terminal_shows_nothing_secret(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.secrets.SECRETS", secrets)
    raw = io.BytesIO()
    stream = Masked.instead_of(io.TextIOWrapper(raw, encoding="ascii", line_buffering=True))
    monkeypatch.setattr(sys, "stderr", stream)
    with contextlib.suppress(ValueError):
        try:
            int(f"{CANARY} ✓")
        finally:
            traceback.print_exc()
    said = raw.getvalue().decode()
    assert "invalid literal for int() with base 10: '*** ?'" in said
    assert "c4n" not in said
