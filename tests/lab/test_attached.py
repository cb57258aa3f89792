"""A control plane that somebody else runs: how the lab notices that it has ended."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from chaos.lab import control_plane
from chaos.lab.control_plane import Attached, Given
from chaos.loops import run_virtual

GIVEN = Given(endpoint="http://127.0.0.1:4566", name="LocalStack", session="first")


def ended(monkeypatch: pytest.MonkeyPatch, *answers: str | None) -> tuple[str, int]:
    """The reason, when it answers so each time it is asked (None: not), and the looks it took."""
    left: Iterator[str | None] = iter(answers)
    looks = 0

    async def get(*_: object) -> tuple[int, bytes]:
        nonlocal looks
        looks += 1
        answer = next(left, None)
        if answer is None:
            raise ConnectionRefusedError
        return 200, answer.encode()

    monkeypatch.setattr(control_plane, "get", get)
    return run_virtual(Attached(GIVEN).ended()), looks


def info(session: str) -> str:
    return json.dumps({"session_id": session})


def test_it_has_ended_when_it_has_been_silent_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    reason, looks = ended(monkeypatch)
    assert reason.startswith("LocalStack has not answered for 12 s; what the lab made in it is")
    assert looks == control_plane.SILENT_FOR_S / control_plane.ASKED_EVERY_S


def test_a_short_silence_is_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    _, looks = ended(monkeypatch, info("first"), None, None, info("first"), None, info("first"))
    assert looks == 6 + control_plane.SILENT_FOR_S / control_plane.ASKED_EVERY_S


def test_one_that_was_started_anew_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    reason, looks = ended(monkeypatch, info("first"), info("second"))
    assert reason == "LocalStack was started anew: what it held is gone"
    assert looks == 2


@pytest.mark.parametrize("page", ["", "not found", "[]", "{}"])
def test_an_emulator_that_tells_no_session_is_there_as_long_as_it_answers(
    monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    reason, looks = ended(monkeypatch, *[page] * 20)
    assert reason.startswith("LocalStack has not answered for 12 s; what the lab made in it is")
    assert looks > 20


def test_it_is_told_on_as_it_was_given() -> None:
    assert Given(**GIVEN.to_json()) == GIVEN
    assert GIVEN.address == ("127.0.0.1", 4566)
